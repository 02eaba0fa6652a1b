"""The pages for people: their tables are the code's, and their links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import SecretStr

from app.cli.main import main
from app.domain.access_keys import Scope
from app.domain.states import GROUP_MOVES
from app.settings import Settings
from worker import celery_app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
VARIABLES = {str(field.validation_alias): field for field in Settings.model_fields.values()}
OF_OTHERS = {
    "MINTAGE_URL",  # the client library's and the command line's
    "MINTAGE_API_KEY",
    "POSTGRES_PASSWORD",  # docker-compose.yml's
    "VALKEY_PASSWORD",
}
SETTINGS = Settings(
    database_url=SecretStr("postgresql://nowhere/x"),
    redis_url=SecretStr("redis://nowhere/0"),
    secret_key=SecretStr("a secret of the tests, and of nothing else"),
)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows_of(text: str) -> Iterator[list[str]]:
    """The cells of every table row, without the marks of code."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]


def code_in(text: str) -> Iterator[str]:
    """Every line of a code block, and every piece of code within a sentence."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def told_default(variable: str) -> str:
    """A setting's default as the README has it."""
    field = VARIABLES[variable]
    if field.is_required():
        return "required"
    if variable == "CELERY_BROKER_URL":
        return "as REDIS_URL"
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def test_the_table_of_settings_has_them_all_with_their_defaults() -> None:
    """In the order of the class."""
    told = [(row[0], row[1]) for row in rows_of(text_of("README.md")) if row[0] in VARIABLES]
    assert told == [(variable, told_default(variable)) for variable in VARIABLES]


@pages
def test_every_variable_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\b(?:MINTAGE_[A-Z_]+[A-Z]|[A-Z]+_(?:URL|KEY|PASSWORD))\b", page.read_text("utf-8")))
    assert named <= set(VARIABLES) | OF_OTHERS


def command_exists(words: list[str]) -> bool:
    command: click.Command | None = main
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(command), words.pop(0))
    return command is not None


@pages
def test_every_command_that_is_named_exists(page: Path) -> None:
    chores = set(re.findall(r"^    ([a-z |]+)\)$", text_of("run"), re.MULTILINE))
    known = {chore.strip() for alternatives in chores for chore in alternatives.split("|")}
    for code in code_in(page.read_text("utf-8")):
        for name in re.findall(r"(?:^|\s)\./run ([a-z]+)", code):
            assert name in known, code
        for told in re.findall(r"(?:^|\./run |exec \w+ |\$ )mintage ((?:[a-z]+ ?)+)", code):
            assert command_exists(told.split()), code


@pages
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pages
def test_every_file_that_is_named_exists(page: Path) -> None:
    """Where it is named by its path from the top."""
    path = re.compile(r"(?:app|worker|mintage|tests|docs)(?:/\w+)+\.\w+")
    named = filter(path.fullmatch, code_in(page.read_text("utf-8")))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_setting_of_celery_is_explained() -> None:
    """With its reason, in a table of the operator's page."""
    explained = {name.strip() for row in rows_of(text_of("docs/operations.md")) for name in row[0].split(",")}
    for publisher in (True, False):
        configured = celery_app._configuration(SETTINGS, publisher=publisher)
        assert set(configured) <= explained
        assert set(configured["broker_transport_options"]) <= explained


def test_every_log_event_that_is_told_exists() -> None:
    sources = "".join(path.read_text("utf-8") for room in ("app", "worker") for path in (ROOT / room).rglob("*.py"))
    logged = set(re.findall(r'log\.\w+\(\s*"([a-z_.]+)"', sources))
    events = text_of("docs/operations.md").partition("| Event |")[2].partition("\n\n")[0]
    told = {row[0] for row in rows_of(events)} - {"---", ""}
    assert told
    assert {name for name in told if "." in name} <= logged


def test_every_scope_is_explained() -> None:
    page = text_of("docs/operations.md")
    assert [scope for scope in Scope if f"`{scope}`" not in page] == []


def test_the_page_of_states_has_every_move_of_a_group_and_no_other() -> None:
    """Each with the function that makes it, which exists."""
    section = text_of("docs/states.md").partition("## A group")[2].partition("## A chunk")[0]
    moves = [row for row in rows_of(section) if row[0] not in {"From", "---"}]
    assert {(before, after) for before, after, *_ in moves if before} == {
        (str(before), str(after)) for before, afters in GROUP_MOVES.items() for after in afters
    }
    drawn = re.findall(r"^    (\w+) --> (\w+) :", section, re.MULTILINE)
    assert sorted(drawn) == sorted((before, after) for before, after, *_ in moves if before)


def test_every_function_that_the_page_of_states_names_exists() -> None:
    named = set(re.findall(r"`(queries|services)\.(\w+)\.(\w+)`", text_of("docs/states.md")))
    assert named
    for room, module, function in named:
        folder = "app/store/queries" if room == "queries" else "app/services"
        assert re.search(rf"^def {function}\(", text_of(f"{folder}/{module}.py"), re.MULTILINE), (module, function)


def test_decisions_are_numbered_and_answer_the_same_questions() -> None:
    """Short enough to be read, too."""
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 40, path.name
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for heading in ("**Question.**", "**Options.**", "**Choice.**", "**Cost.**", "**We would know it was wrong**"):
            assert heading in text, (path.name, heading)
