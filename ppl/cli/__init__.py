"""The command line. Each verb is a file of ``commands``, imported when it is asked for."""
