"""Errors that a demo shows to the person. Changes when a new kind of refusal appears.

Knows no page and no terminal: both show ``text(language)`` or ``str(error)``.
"""

from model_core.interfaces import Language


class DemoError(Exception):
    """Base class: a sentence written for the person, in both languages.

    Attributes:
        zh: What happened and what to do next, in Chinese.
        en: The same in English.
    """

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en

    def text(self, language: Language) -> str:
        """Return the sentence in one language, or in both."""
        return {"zh": self.zh, "en": self.en}.get(language, str(self))

    def __str__(self) -> str:
        """Return both sentences, Chinese first."""
        return f"{self.zh} / {self.en}"


class InvalidRequestError(DemoError):
    """The person's input cannot be used as it is: an input lies outside its limit."""


class FileError(DemoError):
    """A file that cannot be read, written or continued as asked."""
