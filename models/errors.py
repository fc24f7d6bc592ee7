"""What can go wrong between a model's name and its folder.

In: nothing; this module imports no other module of the project.
Out: `WeightsError` and its kinds.
Not known here: manifests, packages, folders.
"""


class WeightsError(Exception):
    """No usable folder of weights; the message says what to do.

    WeightsError
    ├── WrongHash         a file is not the one the manifest pins
    └── MissingWeights    no source has the model, or a file of it is absent
    """

    code = "models.error"
    recoverable = False

    def __init__(self, message: str, *, code: str | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code


class WrongHash(WeightsError):
    """A file's bytes differ from those the manifest pins: damaged, or another version."""

    code = "models.bad_hash"


class MissingWeights(WeightsError):
    """Nothing to assemble the model from, or its folder lacks a file."""

    code = "models.missing"
