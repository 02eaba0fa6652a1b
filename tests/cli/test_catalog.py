"""`mintage catalog load`, and the files that it reads."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.cli.catalog_file import CatalogFileError, parse_catalog
from app.cli.demo import sample_catalog
from tests.cli.conftest import Mintage
from tests.client.fake_service import FakeService, refused

ACME = str(uuid4())
CSV = f"""\ufeffkind,id,title,name,client,isDefault,slug
license,,,Main,acme,true,
license,,,Evening,{ACME},no,
course,,Algebra I,,,,
courses,,,Algebra II,,,

learning path,,,Data,,,
bundle,,Starter,,,,
client,{ACME},,Acme,,,acme
"""


def test_csv_and_json_mean_the_same() -> None:
    """Either column names an entry; clients are found by slug, name or id wherever they stand in the file."""
    from_csv = parse_catalog(CSV.removeprefix("\ufeff"), is_csv=True)
    document = {
        "learningPaths": [{"name": "Data"}],
        "bundles": [{"name": "Starter"}],
        "courses": [{"title": "Algebra I"}, {"title": "Algebra II"}],
        "licenses": [
            {"name": "Main", "client": "Acme", "isDefault": True},
            {"name": "Evening", "client": ACME, "isDefault": False},
        ],
        "clients": [{"id": ACME, "name": "Acme", "slug": "acme"}],
    }
    assert from_csv == parse_catalog(json.dumps(document), is_csv=False)
    assert next(iter(from_csv)) == "clients"


def test_entries_without_an_id_keep_theirs() -> None:
    """Reading the file again gives the same ids, so that loading it again changes nothing."""
    first, second = (parse_catalog('{"courses": [{"title": "Algebra I"}]}', is_csv=False) for _ in range(2))
    assert first == second
    UUID(first["courses"][0]["id"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name\nx\n", "Row 1: the column kind is missing"),
        ("", "Row 1: the column kind is missing"),
        ("kind,name\n", "no entries"),
        ("kind,name\ncourse,A\nnonsense,B\n", "Row 3: the kind 'nonsense' is not one of"),
        ("kind,name\ncourse,\n", "Row 2: a title is needed"),
        ("kind,id,name\ncourse,7,A\n", "Row 2: the id '7' is not a UUID"),
        ("kind,name,slug\ncourse,A,a\n", "Row 2: courses have no 'slug'"),
        ("kind,name\ncourse,A\n\ncourse,A\n", "Row 4: the same entry as in Row 2"),
        ("kind,name,client\nlicense,A,Nobody\n", "Row 2: the client 'Nobody' is neither"),
        ("kind,name,isDefault\nlicense,A,maybe\n", "Row 2: isDefault is true or false, not 'maybe'"),
        ("kind,name\ncourse,A,B\n", "Row 2: more cells than there are columns"),
        ("kind,price\ncourse,1\n", "Row 2: courses have no 'price'"),
    ],
)
def test_a_wrong_row_of_a_csv_is_named(text: str, complaint: str) -> None:
    """The row is the line in the file, the header being row 1."""
    with pytest.raises(CatalogFileError, match=complaint):
        parse_catalog(text, is_csv=True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "one object"),
        ("{}", "no entries"),
        ('{"course": []}', "'course' must be one of"),
        ('{"courses": {}}', "'courses' must be one of"),
        ('{"courses": [{"title": "A"}, "B"]}', "courses, entry 2: an object is needed"),
        ('{"courses": [{"name": "A"}]}', "courses, entry 1: courses have no 'name'"),
        ('{"bundles": [{"name": " "}]}', "bundles, entry 1: a name is needed"),
        ('{"licenses": [{"name": "A", "isDefault": 3}]}', "licenses, entry 1: isDefault"),
    ],
)
def test_a_wrong_entry_of_a_json_is_named(text: str, complaint: str) -> None:
    """The place is the collection and the number in it."""
    with pytest.raises(CatalogFileError, match=complaint):
        parse_catalog(text, is_csv=False)


@pytest.mark.parametrize("as_csv", [True, False])
def test_load_sends_everything(mintage: Mintage, service: FakeService, as_csv: bool) -> None:
    """Clients go before their licenses; loading again stores the same entries."""
    file = Path("catalog.csv" if as_csv else "catalog.json")
    file.write_text(CSV if as_csv else json.dumps(sample_catalog()), encoding="utf-8")
    for _ in range(2):
        result = mintage("catalog", "load", str(file))
        assert result.exit_code == 0, result.output
    assert [request.url.path.rpartition("/")[2] for request in service.requests[:2]] == ["clients", "courses"]
    assert len(service.catalog["courses"]) == (2 if as_csv else 6)
    assert ("courses: 2" if as_csv else "courses: 6") in result.stdout


def test_load_reads_standard_input(mintage: Mintage, service: FakeService) -> None:
    """The format is named where no file name tells it."""
    result = mintage("catalog", "load", "-", "--format", "csv", "--json", text="kind,name\ncourse,A\n")
    assert json.loads(result.stdout) == {"courses": 1}


def test_nothing_is_sent_of_a_file_with_an_error(mintage: Mintage, service: FakeService) -> None:
    """All or nothing, as far as the file can tell."""
    result = mintage("catalog", "load", "-", "--format", "csv", text="kind,name\ncourse,A\ncourse,\n")
    assert (result.exit_code, result.stderr) == (1, "Error: Row 3: a title is needed.\n")
    assert not service.requests


def test_a_file_that_is_no_text_is_told(mintage: Mintage) -> None:
    """A spreadsheet is not a CSV."""
    Path("catalog.csv").write_bytes(b"PK\xff\xfe")
    result = mintage("catalog", "load", "catalog.csv")
    assert result.exit_code == 1
    assert "not UTF-8" in result.stderr


def test_a_refusal_of_the_service_comes_through(mintage: Mintage, service: FakeService) -> None:
    """The service's sentence is the error."""
    service.first(refused(403, "No scope."))
    result = mintage("catalog", "load", "-", text='{"courses": [{"title": "A"}]}')
    assert (result.exit_code, result.stderr) == (1, "Error: No scope.\n")


def test_the_sample_catalog_is_right() -> None:
    """Every license belongs to a client of the sample; ids are fixed."""
    sample = sample_catalog()
    clients = {client["id"] for client in sample["clients"]}
    assert {license_["client"] for license_ in sample["licenses"]} <= clients
    assert sample["courses"][0] == {"id": "b024047a-541b-5115-a2c0-f5d089c3f840", "title": "Algebra I"}
