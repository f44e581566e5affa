"""What can go wrong while private data is taken out of a text.

PrivacyError
├── ScrubberDown    the detecting process is dead, stuck or not ready: nothing may go to a model
├── TextTooLong     more text in one call than the process can read within its limit
└── VaultError      a placeholder could not be reserved
"""


class PrivacyError(Exception):
    """Private data could not be taken care of, so the text must not go out."""


class ScrubberDown(PrivacyError):
    """Detection did not answer; whoever asked goes on without the model."""


class TextTooLong(PrivacyError):
    """One call carried more text than detection reads within its limit."""


class VaultError(PrivacyError):
    """A value could not be given a placeholder."""
