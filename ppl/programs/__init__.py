"""Random well-typed programs, programs that mean the same, and the smallest program on which two meanings differ."""
