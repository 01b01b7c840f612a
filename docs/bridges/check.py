"""Reads the documents in a folder without any library of Courant or of ENTSO-E, and compares them with what was stored.

Each NAME.xml is an A44 document; NAME.json has the price of each quarter hour, as a decimal text, by its start in Unix seconds.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as tree
from datetime import datetime, timezone
from decimal import Decimal


def child(element, name):
    return next(inner for inner in element if inner.tag.rpartition("}")[2] == name)


def children(element, name):
    return [inner for inner in element if inner.tag.rpartition("}")[2] == name]


def seconds(text):
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=timezone.utc).timestamp())


def prices(document):
    """Returns the price of each quarter hour; a position that is left out has the price before it, up to the end of its Period."""
    found = {}
    for series in children(document, "TimeSeries"):
        assert child(series, "curveType").text == "A03"
        for period in children(series, "Period"):
            interval = child(period, "timeInterval")
            assert child(period, "resolution").text == "PT15M"
            given = {int(child(p, "position").text): Decimal(child(p, "price.amount").text) for p in children(period, "Point")}
            price = None
            start = seconds(child(interval, "start").text)
            for position in range(1, (seconds(child(interval, "end").text) - start) // 900 + 1):
                price = given.get(position, price)
                found[start + (position - 1) * 900] = price
    return found


failed = False
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    expected = {int(start): Decimal(text) for start, text in json.loads(path.with_suffix(".json").read_text()).items()}
    same = prices(tree.parse(path).getroot()) == expected
    failed |= not same
    print(f"python {path.stem}: {len(expected)} quarter hours {'as stored' if same else 'DIFFER'}")
sys.exit(failed)
