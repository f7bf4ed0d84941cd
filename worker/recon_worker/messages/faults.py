"""Why a message is refused."""

from enum import StrEnum


class Fault(StrEnum):
    """Kinds of faults: the label of the metric, and the field of an entry in the dead-letter list."""

    TOO_LARGE = "TooLarge"
    NOT_JSON = "NotJson"
    ENVELOPE = "Envelope"
    """It is JSON, but not a message of kombu's: a field is missing or of another type."""
    ENCODING = "Encoding"
    """Its content is of another type, such as pickle, or is compressed."""
    BODY = "Body"
    UNKNOWN_TASK = "UnknownTask"
    OPTIONS = "Options"
    """It asks Celery for what the operator never asks for: a later time, a limit, another task afterwards."""
    ARGUMENTS = "Arguments"
    TASK_ID = "TaskId"
    """Its id is that of another attempt."""
    CONTROL = "Control"
    """An order over the channel of remote control that nobody here gives."""
    UNACKNOWLEDGED = "Unacknowledged"
    """What is to be put back into the queue was not taken from it."""
    QUEUE = "Queue"
    """Under the queue's name lies something that is no list."""
    UNEXPECTED = "Unexpected"
    """The check itself failed."""


class MessageRefusedError(Exception):
    """A message is not one that our operator sends. The text names fields and types, never a value of the message."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault, self.detail = fault, detail
