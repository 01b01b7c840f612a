-- +goose Up
DROP VIEW afrr_energy;

-- The 4 s steps as rows, for whoever reads the file without Courant. hour is the start of the hour in which a row lies: bound
-- it wherever not all rows are wanted, for the start of a row is worked out, and all hours are unpacked to find one.
CREATE VIEW afrr_energy AS
WITH
  -- steps is JSON: of each row its start, when it was first seen, its flags and its numbers, which are in units of their last
  -- decimal, or the bits of a float64.
  unpacked AS (
    SELECT start AS hour, decimals, (
      WITH RECURSIVE
        -- The bytes, and the place of the code that each is a part of.
        byte (at, place, shift, value) AS (
          SELECT 0, -1, 0, 0
          UNION ALL
          SELECT at + 1, place + (value < 128), iif(value < 128, 0, shift + 7),
            16 * instr('123456789ABCDEF', substr(hex(substr(numbers, at + 1, 1)), 1, 1))
              + instr('123456789ABCDEF', substr(hex(substr(numbers, at + 1, 1)), 2, 1))
          FROM byte WHERE at < length(numbers)
        ),
        code (row, col, c) AS (
          SELECT place % rows, place / rows, sum((value & 127) << shift) FROM byte WHERE at > 0 GROUP BY place
        ),
        number (row, col, n) AS (
          SELECT row, col, CASE WHEN c = 0 THEN NULL WHEN json_extract(decimals, '$[' || col || ']') IS NULL THEN c - 1
            ELSE sum(iif(json_extract(decimals, '$[' || col || ']') IS NULL, 0, iif(c & 1, c >> 1, -(c >> 1)))) OVER (PARTITION BY col ORDER BY row) END
          FROM code
          UNION ALL
          SELECT json_extract(value, '$.row'), 5, value FROM json_each(runs)
        ),
        step (row, n0, n1, n2, n3, n4, run) AS (
          SELECT row, max(iif(col = 0, n, NULL)), max(iif(col = 1, n, NULL)), max(iif(col = 2, n, NULL)), max(iif(col = 3, n, NULL)),
            max(iif(col = 4, n, NULL)), max(iif(col = 5, n, NULL))
          FROM number GROUP BY row
        ),
        -- Each row with the run that it is a part of, which stands at the first row of its part.
        parted AS (SELECT *, count(run) OVER (ORDER BY row) AS part FROM step),
        placed AS (SELECT *, first_value(run) OVER (PARTITION BY part ORDER BY row) AS within FROM parted)
      SELECT json_group_array(json_array(start + json_extract(within, '$.second') + 4 * (row - json_extract(within, '$.row')),
        json_extract(within, '$.first_seen_ms'), json_extract(within, '$.picasso_connection'), json_extract(within, '$.prorata_mode'), n0, n1, n2, n3, n4))
      FROM placed
    ) AS steps
    FROM afrr_energy_hour
  ),
  step AS (
    SELECT hour, json_extract(value, '$[0]') AS start, json_extract(value, '$[1]') AS first_seen_ms,
      json_extract(value, '$[2]') AS picasso_connection, json_extract(value, '$[3]') AS prorata_mode,
      json_extract(decimals, '$[0]') AS d0, json_extract(value, '$[4]') AS n0,
      json_extract(decimals, '$[1]') AS d1, json_extract(value, '$[5]') AS n1,
      json_extract(decimals, '$[2]') AS d2, json_extract(value, '$[6]') AS n2,
      json_extract(decimals, '$[3]') AS d3, json_extract(value, '$[7]') AS n3,
      json_extract(decimals, '$[4]') AS d4, json_extract(value, '$[8]') AS n4
    FROM unpacked, json_each(steps)
  )
SELECT
  start,
  CASE WHEN d0 IS NULL THEN iif(n0 < 0, -1, 1) * ((n0 & (1 << 52) - 1) + iif((n0 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n0 >> 52) & 2047, 1) - 1075)
    ELSE n0 / CAST('1e' || d0 AS REAL) END AS upward_price,
  CASE WHEN d1 IS NULL THEN iif(n1 < 0, -1, 1) * ((n1 & (1 << 52) - 1) + iif((n1 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n1 >> 52) & 2047, 1) - 1075)
    ELSE n1 / CAST('1e' || d1 AS REAL) END AS downward_price,
  CASE WHEN d2 IS NULL THEN iif(n2 < 0, -1, 1) * ((n2 & (1 << 52) - 1) + iif((n2 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n2 >> 52) & 2047, 1) - 1075)
    ELSE n2 / CAST('1e' || d2 AS REAL) END AS demand_mw,
  CASE WHEN d3 IS NULL THEN iif(n3 < 0, -1, 1) * ((n3 & (1 << 52) - 1) + iif((n3 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n3 >> 52) & 2047, 1) - 1075)
    ELSE n3 / CAST('1e' || d3 AS REAL) END AS for_france_mw,
  CASE WHEN d4 IS NULL THEN iif(n4 < 0, -1, 1) * ((n4 & (1 << 52) - 1) + iif((n4 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n4 >> 52) & 2047, 1) - 1075)
    ELSE n4 / CAST('1e' || d4 AS REAL) END AS in_france_mw,
  picasso_connection,
  prorata_mode,
  first_seen_ms,
  coalesce((SELECT max(seen_ms) FROM afrr_energy_revision AS changed, json_each(changed.runs) AS run
    WHERE changed.hour = step.hour AND (step.start - step.hour - json_extract(run.value, '$[0]')) % 4 = 0
      AND (step.start - step.hour - json_extract(run.value, '$[0]')) / 4 BETWEEN 0 AND json_extract(run.value, '$[1]') - 1), first_seen_ms) AS changed_ms,
  hour
FROM step;

-- What changed of the 4 s steps, a row a value, as revision has it for the other datasets. As in afrr_energy, bound hour wherever not
-- all rows are wanted.
CREATE VIEW afrr_energy_revised AS
WITH
  -- revised is JSON: of each value the second of its step, its column, and the old and the new number, each after its decimals and
  -- in units of the last of them, or as the bits of a float64 (decimals 16); then since when the old one had been current.
  unpacked AS (
    SELECT id, hour, seen_ms, (
      WITH RECURSIVE
        byte (at, place, shift, value) AS (
          SELECT 0, -1, 0, 0
          UNION ALL
          SELECT at + 1, place + (value < 128), iif(value < 128, 0, shift + 7),
            16 * instr('123456789ABCDEF', substr(hex(substr(changes, at + 1, 1)), 1, 1))
              + instr('123456789ABCDEF', substr(hex(substr(changes, at + 1, 1)), 2, 1))
          FROM byte WHERE at < length(changes)
        ),
        code (place, c) AS (SELECT place, sum((value & 127) << shift) FROM byte WHERE at > 0 GROUP BY place),
        step (second, steps, columns) AS (
          SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(runs)
          UNION ALL
          SELECT second + 4, steps - 1, columns FROM step WHERE steps > 1
        ),
        -- Each value that changed, with its number among those of its column.
        changed (col, second, nth) AS (
          SELECT value, second, row_number() OVER (PARTITION BY value ORDER BY second)
          FROM step, json_each('[0,1,2,3,4,5,6]') WHERE columns >> value & 1
        ),
        -- Where the codes of each column begin, and how many values it has.
        column_at (col, n, first) AS (
          SELECT col, n, sum(3 * n + 2) OVER (ORDER BY col) - (3 * n + 2) FROM (SELECT col, count(*) AS n FROM changed GROUP BY col)
        ),
        -- Each code with the column that it is a part of, whose begin stands before its first one.
        marked (place, c, mark, first) AS (
          SELECT place, c, max(mark) OVER before, max(first) OVER before
          FROM (SELECT place, c, NULL AS mark, NULL AS first FROM code UNION ALL SELECT first, NULL, col * 10000 + n, first FROM column_at)
          WINDOW before AS (ORDER BY place, c IS NOT NULL ROWS UNBOUNDED PRECEDING)
        ),
        -- The codes of a column by what they are: its old decimals, old numbers, new decimals, new numbers, since when.
        part (col, what, nth, c) AS (
          SELECT col, CASE WHEN i = 0 THEN 0 WHEN i <= n THEN 1 WHEN i = n + 1 THEN 2 WHEN i <= 2 * n + 1 THEN 3 ELSE 4 END,
            CASE WHEN i = 0 OR i = n + 1 THEN 1 WHEN i <= n THEN i WHEN i <= 2 * n + 1 THEN i - n - 1 ELSE i - 2 * n - 1 END, c
          FROM (SELECT mark / 10000 AS col, mark % 10000 AS n, place - first AS i, c FROM marked WHERE c IS NOT NULL)
          UNION ALL
          SELECT col, 5, nth, second FROM changed
        ),
        coded (col, nth, old_decimals, old, new_decimals, new, since, second) AS (
          SELECT col, nth, max(max(iif(what = 0, c, NULL))) OVER of_col, max(iif(what = 1, c, NULL)), max(max(iif(what = 2, c, NULL))) OVER of_col,
            max(iif(what = 3, c, NULL)), max(iif(what = 4, c, NULL)), max(iif(what = 5, c, NULL))
          FROM part GROUP BY col, nth WINDOW of_col AS (PARTITION BY col)
        )
      SELECT json_group_array(json_array(second, col, old_decimals, old, new_decimals, new, since)) FROM (
        SELECT second, col, old_decimals, new_decimals,
          CASE WHEN old = 0 THEN NULL WHEN old_decimals = 16 THEN old - 1
            ELSE sum(iif(old_decimals = 16, 0, iif(old & 1, old >> 1, -(old >> 1)))) OVER so_far END AS old,
          CASE WHEN new = 0 THEN NULL WHEN new_decimals = 16 THEN new - 1
            ELSE sum(iif(new_decimals = 16, 0, iif(new & 1, new >> 1, -(new >> 1)))) OVER so_far END AS new,
          seen_ms + sum(iif(since & 1, -(since >> 1) - 1, since >> 1)) OVER so_far AS since
        FROM coded WINDOW so_far AS (PARTITION BY col ORDER BY nth))
    ) AS revised
    FROM afrr_energy_revision
  ),
  value AS (
    SELECT unpacked.id AS id, hour, seen_ms, json_extract(value, '$[0]') AS second, json_extract(value, '$[1]') AS col,
      json_extract(value, '$[2]') AS d0, json_extract(value, '$[3]') AS n0, json_extract(value, '$[4]') AS d1, json_extract(value, '$[5]') AS n1,
      json_extract(value, '$[6]') AS since_ms
    FROM unpacked, json_each(revised)
  )
SELECT
  hour + second AS start,
  json_extract('["upward_price","downward_price","demand_mw","for_france_mw","in_france_mw","picasso_connection","prorata_mode"]', '$[' || col || ']') AS column_name,
  CASE WHEN d0 = 16 THEN iif(n0 < 0, -1, 1) * ((n0 & (1 << 52) - 1) + iif((n0 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n0 >> 52) & 2047, 1) - 1075)
    ELSE n0 / CAST('1e' || d0 AS REAL) END AS old,
  CASE WHEN d1 = 16 THEN iif(n1 < 0, -1, 1) * ((n1 & (1 << 52) - 1) + iif((n1 >> 52) & 2047, 1 << 52, 0)) * pow(2, max((n1 >> 52) & 2047, 1) - 1075)
    ELSE n1 / CAST('1e' || d1 AS REAL) END AS new,
  since_ms, seen_ms, id, hour
FROM value;
