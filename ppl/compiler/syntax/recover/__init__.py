"""From a text with mistakes to findings and a token stream that parses.

In three steps, each of which repairs what it reports: the lexer (``mistakes``: signs of other languages, strings),
the brackets (``brackets``: what is open, by indentation), and the automaton (``repair``: everything else).
"""
