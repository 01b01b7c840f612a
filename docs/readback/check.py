"""Reads the files of a folder with Python's csv and json and with LibreOffice, and compares each value with expected.json."""
import csv
import datetime
import glob
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zoneinfo
from decimal import Decimal

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
folder = sys.argv[1]
days = {day["Name"]: day for day in json.load(open(f"{folder}/expected.json", encoding="utf-8"), parse_float=Decimal)}
wrong = 0


def report(what, read, differences):
    global wrong
    wrong += len(differences)
    print(f"{what}: {read} values, {len(differences)} wrong")
    for difference in differences[:3]:
        print("   ", difference)


def instant(text):
    """Milliseconds since 1970 of RFC 3339 with any offset."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def local(text, offset):
    """Seconds since 1970 of a local time and its offset."""
    return instant(text + offset) // 1000


def paris(second):
    """Local time in Paris."""
    return datetime.datetime.fromtimestamp(second, PARIS).strftime("%Y-%m-%d %H:%M:%S")


def compare(read, differences, name, day, rows, value):
    """Compares rows, each a list with start and end of the period in seconds first."""
    if len(rows) != len(day["Rows"]):
        differences.append(f"{name}: {len(rows)} rows, not {len(day['Rows'])}")
    kinds = ["second", "second"] + [column["Kind"] for column in day["Columns"]]
    for number, (row, expected) in enumerate(zip(rows, day["Rows"])):
        if len(row) != len(expected):
            differences.append(f"{name} row {number}: {len(row)} values, not {len(expected)}")
        for at, (got, want) in enumerate(zip(row, expected)):
            read += 1
            if at >= 2:
                got = value(got, kinds[at])
                if kinds[at] == "number" and want is not None:
                    want = Decimal(want)
            if got != want or isinstance(got, bool) != isinstance(want, bool):
                differences.append(f"{name} row {number} column {at}: {got!r}, not {want!r}")
    return read


def from_text(null, point="."):
    def value(text, kind):
        if text == null:
            return None
        if kind == "number":
            return Decimal(text.replace(point, "."))
        if kind == "integer":
            return int(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind == "instant":
            return instant(text)
        return text[1:] if text[:2] in ("'=", "'-", "'+", "'@") else text
    return value


def from_json(value, kind):
    if value is not None and kind == "instant":
        return instant(value)
    if value is not None and kind == "number":
        return Decimal(value)
    return value


def load(path):
    return json.load(open(path, encoding="utf-8"), parse_float=Decimal)


for kind, null in (("utc.csv", ""), ("paris.csv", ""), ("nulls.csv", r"\N")):
    read, differences = 0, []
    for name, day in days.items():
        rows = list(csv.reader(open(f"{folder}/{name}.{kind}", encoding="utf-8", newline="")))[1:]
        rows = [[instant(row[0]) // 1000, instant(row[1]) // 1000] + row[2:] for row in rows]
        read = compare(read, differences, name, day, rows, from_text(null))
    report(f"Python csv, {kind}", read, differences)

read, differences = 0, []
for name, day in days.items():
    rows = list(csv.reader(open(f"{folder}/{name}.fr.csv", encoding="utf-8-sig", newline=""), delimiter=";"))[1:]
    found = []
    for row, expected in zip(rows, day["Rows"]):
        if local(row[1], row[3]) * 1000 != instant(row[0]):
            differences.append(f"{name}: {row[1]} at {row[3]} is not {row[0]}")
        if row[2] != paris(expected[1]):
            differences.append(f"{name}: {row[2]} is not {paris(expected[1])}")
        found.append([instant(row[0]) // 1000, expected[1]] + row[4:])
    read = compare(read, differences, name, day, found, from_text("", ","))
report("Python csv, fr.csv", read, differences)

for kind in ("utc.json", "paris.json"):
    read, differences = 0, []
    for name, day in days.items():
        rows = [list(row.values()) for row in load(f"{folder}/{name}.{kind}")["rows"]]
        rows = [[instant(row[0]) // 1000, instant(row[1]) // 1000] + row[2:] for row in rows]
        read = compare(read, differences, name, day, rows, from_json)
    report(f"Python json, {kind}", read, differences)

read, differences = 0, []
for name, day in days.items():
    rows = [list(row) for row in zip(*load(f"{folder}/{name}.columns.json")["data"].values())]
    rows = [[instant(row[0]) // 1000, instant(row[1]) // 1000] + row[2:] for row in rows]
    read = compare(read, differences, name, day, rows, from_json)
report("Python json, columns.json", read, differences)

read, differences = 0, []
for name, day in days.items():
    rows = [list(json.loads(line, parse_float=Decimal).values()) for line in open(f"{folder}/{name}.ndjson", encoding="utf-8")]
    rows = [[instant(row[0]) // 1000, instant(row[1]) // 1000] + row[2:] for row in rows]
    read = compare(read, differences, name, day, rows, from_json)
report("Python json, ndjson", read, differences)

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def sheet(path):
    """Rows of the first sheet of a flat OpenDocument file; a cell is its type and its value."""
    table = next(ElementTree.parse(path).getroot().iter(TABLE + "table"))
    rows = []
    for row in table.iter(TABLE + "table-row"):
        cells = []
        for cell in row.iter(TABLE + "table-cell"):
            kind = cell.get(OFFICE + "value-type")
            value = next((cell.get(OFFICE + a) for a in ("value", "date-value", "time-value", "boolean-value") if cell.get(OFFICE + a)), None)
            if value is None:
                value = "\n".join("".join(p.itertext()) for p in cell.iter(TEXT + "p")).strip()
            cells += [(kind, value)] * min(int(cell.get(TABLE + "number-columns-repeated", 1)), 100)
        if any(kind for kind, _ in cells):
            rows += [cells] * int(row.get(TABLE + "number-rows-repeated", 1))
    return rows


def from_cell(cell, kind):
    got, value = cell
    if got is None:
        return None
    if kind == "number" and got == "float":
        return Decimal(value)
    if kind == "integer" and got == "float":
        return int(value)
    if kind == "boolean":
        # LibreOffice has no type of cell for it in xlsx: a number that is shown as TRUE.
        return {"true": True, "1": True, "false": False, "0": False}[value]
    if kind == "instant" and got == "string":
        return instant(value)
    if kind == "string" and got == "string":
        return value[1:] if value[:2] in ("'=", "'-", "'+", "'@") else value
    return cell


def read_office(what, pattern, settings):
    read, differences = 0, []
    with tempfile.TemporaryDirectory() as path:
        files = sorted(glob.glob(f"{folder}/*.{pattern}"))
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{path}/profile", "--convert-to", "fods", "--outdir", path]
        subprocess.run(command + settings + files, check=True, capture_output=True)
        for file in files:
            name = os.path.basename(file)[: -len(pattern) - 1]
            converted = os.path.join(path, os.path.splitext(os.path.basename(file))[0] + ".fods")
            day, rows, header = days[name], [], None
            for row in sheet(converted):
                if header is None:
                    header = [value for kind, value in row if kind]
                    continue
                row = (row + [(None, "")] * len(header))[: len(header)]
                if "utc_offset" not in header:
                    rows.append([instant(row[0][1]) // 1000, instant(row[1][1]) // 1000] + row[2:])
                    continue
                start, offset = row[1][1], row[3][1]
                if row[3][0] == "time":  # PT02H00M00S
                    offset = f"+{offset[2:4]}:00"
                expected = day["Rows"][len(rows)]
                start, end = [at if len(at) > 10 else at + " 00:00:00" for at in (start, row[2][1])]
                if end.replace("T", " ") != paris(expected[1]):
                    differences.append(f"{name}: {end} is not {paris(expected[1])}")
                if local(start, offset) * 1000 != instant(row[0][1]):
                    differences.append(f"{name}: {start} at {offset} is not {row[0][1]}")
                rows.append([instant(row[0][1]) // 1000, expected[1]] + row[4:])
            read = compare(read, differences, name, day, rows, from_cell)
    report(what, read, differences)


if subprocess.run(["which", "soffice"], capture_output=True).returncode:
    print("LibreOffice: not here")
else:
    print(subprocess.run(["soffice", "--version"], capture_output=True, text=True).stdout.strip())
    read_office("LibreOffice en, utc.csv", "utc.csv", ["--infilter=CSV:44,34,76,1,,1033,false,true"])
    read_office("LibreOffice fr, fr.csv", "fr.csv", ["--infilter=CSV:59,34,76,1,,1036,false,true"])
    read_office("LibreOffice fr, fr.csv, times as text", "fr.csv", ["--infilter=CSV:59,34,76,1,,1036,false,false"])
    read_office("LibreOffice, xlsx", "xlsx", [])

sys.exit(wrong > 0)
