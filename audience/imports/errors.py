"""What keeps a file, or a row of it, from being imported.

ImportFault
├── UnusableFile   nothing of the file can be imported
└── BadRow         one row is left out
"""


class ImportFault(ValueError):
    """The message is a sentence for people."""


class UnusableFile(ImportFault):
    """Nothing is imported; the message says what the file lacks."""


class BadRow(ImportFault):
    """The row is left out; the message says why."""
