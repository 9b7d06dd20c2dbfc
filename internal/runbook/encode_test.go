package runbook

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func itoa(n int) string { return strconv.Itoa(n) }

// decodeText reads a JSON string.
func decodeText(tb testing.TB, raw string) string {
	tb.Helper()
	var s string
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		tb.Fatalf("%s is not a JSON string: %v", raw, err)
	}
	return s
}

// anyJSON draws a value that JSON can hold.
func anyJSON(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.SampledFrom([]string{"yes", "null", "- a", "a: b", "# c", "1e3", "~", "=", "\x1b[31m", "\u202e", "01", "2026-01-01", "key:", "é"}).AsAny(),
		rapid.Float64Range(-1e6, 1e6).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := anyJSON(depth - 1)
	return rapid.OneOf(append(scalars,
		rapid.SliceOfN(inner, 0, 3).AsAny(),
		rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}( [a-z]|:)?`), inner, 0, 3).AsAny())...)
}

func TestEncodeYAML_ReadsBackAsTheJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyJSON(3).Draw(t, "value")
		raw, err := encodeYAML(v)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(strings.ReplaceAll(string(raw), "\n", ""), chatops.Harmful) {
			t.Fatalf("YAML is not harmless: %q", raw)
		}
		var got, want any
		if err := yaml.Unmarshal(raw, &got); err != nil {
			t.Fatalf("not YAML: %v\n%s", err, raw)
		}
		if err := yaml.Unmarshal(mustJSON(t, v), &want); err != nil {
			t.Skip("the reader does not read this JSON either")
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("YAML\n%s\nreads as %#v, want %#v", raw, got, want)
		}
	})
}

func mustJSON(t *rapid.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestEncodeYAML_IsBlockStyle(t *testing.T) {
	t.Parallel()
	raw, err := encodeYAML(json.RawMessage(`{"items":[{"id":12345678901234567,"ok":true,"tags":["a","yes"]},{"id":2}],"none":[],"next":null,"text":"a\nb"}`))
	want := "items:\n  - id: 12345678901234567\n    ok: true\n    tags:\n      - a\n      - \"yes\"\n  - id: 2\nnone: []\nnext: null\ntext: \"a\\nb\"\n"
	if err != nil || string(raw) != want {
		t.Errorf("YAML is\n%s\nwant\n%s (%v)", raw, want, err)
	}
}

// rowsOf draws tables of three columns with any text.
var rowsOf = rapid.SliceOfN(rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+@\-\t\r\n|,"a-z]{0,8}`)), 3, 3), 0, 5)

var threeColumns = []column{{name: "a", right: true}, {name: "b", flex: true}, {name: "c", flex: true}}

func TestEncodeTSV_HasOneLinePerRowAndOneCellPerTab(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rowsOf.Draw(t, "rows")
		raw := encodeTSV([]section{{columns: threeColumns, rows: rows}}, false)
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		if len(rows) > 0 && len(lines) != len(rows) {
			t.Fatalf("%d lines for %d rows: %q", len(lines), len(rows), raw)
		}
		for i, row := range rows {
			if got := strings.Split(lines[i], "\t"); len(got) != len(row) {
				t.Fatalf("line %q has %d cells", lines[i], len(got))
			}
		}
	})
}

func TestEncodeCSV_IsReadableAndSafe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rowsOf.Draw(t, "rows")
		raw, err := encodeCSV([]section{{text: "skipped"}, {columns: threeColumns, rows: rows}}, true)
		if err != nil {
			t.Fatal(err)
		}
		back, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil || len(back) != len(rows)+1 {
			t.Fatalf("%d records, %v: %q", len(back), err, raw)
		}
		for _, record := range back[1:] {
			for _, cell := range record {
				if defuse(cell) != cell || strings.ContainsFunc(cell, chatops.Harmful) {
					t.Fatalf("cell %q is not safe", cell)
				}
			}
		}
	})
}

func TestEncodeTable_FitsTheTerminalWhateverTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rowsOf.Draw(t, "rows")
		width := rapid.IntRange(10, 60).Draw(t, "width")
		if len(rows) == 0 {
			t.Skip("no table")
		}
		raw, err := encodeTable([]section{{columns: threeColumns, rows: rows}}, tableStyle{headers: true, width: width})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			t.Fatalf("%d lines for %d rows:\n%s", len(lines), len(rows), raw)
		}
		for _, line := range lines {
			if strings.ContainsFunc(line, chatops.Harmful) || twwidth.Width(line) > width {
				t.Fatalf("line %q of %d columns does not fit %d", line, twwidth.Width(line), width)
			}
		}
	})
}

func TestEncodeMarkdown_CellsHaveNoMeaning(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a|b": `a\|b`, "<script>": "&lt;script&gt;", "slack_alert": "slack_alert", "_x_": `\_x\_`, "[x](y)": `\[x\](y)`,
		"*b* `c`": "\\*b\\* \\`c\\`", "a\nb": `a\\nb`, "~~": `\~\~`,
	} {
		got := markdownCell(in)
		if in == "a\nb" {
			want = `a\\nb`
		}
		if got != want {
			t.Errorf("markdownCell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFit_ShortensFlexibleColumnsFirst(t *testing.T) {
	t.Parallel()
	columns := []column{{name: "id", whole: true}, {name: "status"}, {name: "error", flex: true}}
	header := []string{"ID", "STATUS", "ERROR"}
	rows := [][]string{{"1234567", "delivered", strings.Repeat("e", 50)}}
	fit(columns, header, rows, 40)
	if want := []string{"1234567", "delivered", strings.Repeat("e", 19) + "…"}; !reflect.DeepEqual(rows[0], want) {
		t.Errorf("row is %q, want %q", rows[0], want)
	}
	fit(columns, header, rows, 15)
	if rows[0][0] != "1234567" {
		t.Errorf("the id was shortened to %q", rows[0][0])
	}
}
