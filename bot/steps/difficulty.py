"""What it takes to answer a question, told from its words alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """The least class that can do the job, why, and whether the customer asked for more thought."""

    model_class: str
    why: tuple[str, ...]
    wished: bool = False
