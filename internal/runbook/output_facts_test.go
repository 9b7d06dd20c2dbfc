package runbook

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chatops/internal/chatops"
)

// printed runs a command line in a format and returns what it prints.
func printed(t *testing.T, line, format string) string {
	t.Helper()
	c := newSteeringConsole(t)
	if format != "" {
		line += " -o " + format
	}
	c.must(exitOK, line)
	return c.out.String()
}

// tree reads JSON or YAML, numbers as texts.
func tree(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return decodeNumbers(raw)
}

func TestOutput_YAMLHasTheFactsOfJSON(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		asJSON, asYAML := printed(t, line, "json"), printed(t, line, "yaml")
		if !json.Valid([]byte(asJSON)) {
			t.Errorf("chatops %s -o json is no JSON:\n%s", line, asJSON)
		}
		if a, b := tree(t, asJSON), tree(t, asYAML); !reflect.DeepEqual(a, b) {
			t.Errorf("chatops %s differs:\n%v\nin YAML\n%v", line, a, b)
		}
	}
}

func TestOutput_JSONLinesAreTheElementsOfTheJSON(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		var elements []any
		dec := json.NewDecoder(strings.NewReader(printed(t, line, "jsonl")))
		for {
			var v any
			if err := dec.Decode(&v); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			elements = append(elements, v)
		}
		var whole any
		if err := json.Unmarshal([]byte(printed(t, line, "json")), &whole); err != nil {
			t.Fatal(err)
		}
		if len(elements) == 1 && reflect.DeepEqual(elements[0], whole) {
			continue // one thing, in one line
		}
		object, ok := whole.(map[string]any)
		if !ok {
			t.Fatalf("chatops %s -o json is no object", line)
		}
		found := false
		for _, list := range object {
			items, isList := list.([]any)
			found = found || isList && len(items) == len(elements) && (len(items) == 0 || reflect.DeepEqual(items, elements))
		}
		if !found {
			t.Errorf("chatops %s: no list of the JSON has the lines %v", line, elements)
		}
	}
}

// cells are the cells of the first table in tab-separated text.
func tsvCells(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		if line == "\n" {
			break
		}
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

func TestOutput_CSVHasTheCellsOfTheTableAndMore(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		records, err := csv.NewReader(strings.NewReader(printed(t, line, "csv"))).ReadAll()
		if err != nil {
			t.Fatalf("chatops %s -o csv: %v", line, err)
		}
		rows := tsvCells(printed(t, line, ""))
		if len(rows) != len(records) {
			t.Errorf("chatops %s: %d rows, as CSV %d", line, len(rows), len(records))
			continue
		}
		for i, row := range rows {
			if len(records[i]) < len(row) {
				t.Fatalf("chatops %s: row %q is %q as CSV", line, row, records[i])
			}
			for j, cell := range row {
				if got := records[i][j]; got != cell && got != "'"+cell {
					t.Errorf("chatops %s: cell %q is %q as CSV", line, cell, got)
				}
			}
		}
	}
}

func TestOutput_MarkdownHasTheCellsOfTheTable(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		lines := slices.DeleteFunc(strings.Split(printed(t, line, "markdown"), "\n"), func(l string) bool {
			return !strings.HasPrefix(l, "| ") || strings.HasPrefix(l, "| ---")
		})
		rows := tsvCells(printed(t, line, ""))
		if len(lines) < len(rows) {
			t.Errorf("chatops %s: %d rows, as Markdown %d", line, len(rows), len(lines))
			continue
		}
		for i, row := range rows {
			cells := make([]string, len(row))
			for j, cell := range row {
				cells[j] = markdownEscape.Replace(cell)
			}
			if got, want := lines[i], "| "+strings.Join(cells, " | ")+" |"; got != want {
				t.Errorf("chatops %s prints\n%s\nwant\n%s", line, got, want)
			}
		}
	}
}

func TestOutput_TableHasTheCellsInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		lines := strings.Split(printed(t, line, "table"), "\n")
		for i, row := range tsvCells(printed(t, line, "")) {
			rest := lines[i]
			for _, cell := range row {
				if i == 0 {
					cell = strings.ToUpper(strings.ReplaceAll(cell, "_", " "))
				}
				_, after, ok := strings.Cut(rest, cell)
				if !ok {
					t.Errorf("chatops %s: the line %q lacks %q", line, lines[i], cell)
				}
				rest = after
			}
		}
	}
}

func TestOutput_NoFormatLetsATextCommandAnything(t *testing.T) {
	t.Parallel()
	for _, line := range append(slices.Clone(steeringLooks), "dlq export") {
		formats := append([]string{""}, outputFormats...)
		if line == "dlq export" {
			formats = []string{"", "jsonl", "csv"}
		}
		for _, format := range formats {
			got := printed(t, line, format)
			if strings.ContainsFunc(strings.NewReplacer("\n", "", "\t", "").Replace(got), chatops.Harmful) {
				t.Errorf("chatops %s -o %s is not harmless: %q", line, format, got)
			}
			if format == "" && line != "dlq export" && !strings.Contains(got, "\t") {
				t.Errorf("chatops %s has no tabs for a pipe: %q", line, got)
			}
			if format != "csv" {
				continue
			}
			records, err := csv.NewReader(strings.NewReader(got)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, cell := range slices.Concat(records...) {
				if defuse(cell) != cell {
					t.Errorf("chatops %s: the cell %q is a formula", line, cell)
				}
			}
		}
	}
}

func TestOutput_WithoutHeadersIsTheSameButForThem(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		for _, format := range []string{"", "csv"} {
			with, without := printed(t, line, format), printed(t, line+" --no-headers", format)
			_, rest, _ := strings.Cut(with, "\n")
			if first, _, more := strings.Cut(rest, "\n\n"); more {
				rest = first + "\n"
				without, _, _ = strings.Cut(without, "\n\n")
				without += "\n"
			}
			if without != rest {
				t.Errorf("chatops %s -o %s without headers prints\n%s\nwant\n%s", line, format, without, rest)
			}
		}
		for _, format := range []string{"json", "jsonl", "yaml"} {
			if with, without := printed(t, line, format), printed(t, line+" --no-headers", format); with != without {
				t.Errorf("chatops %s -o %s has no headers, and differs without them", line, format)
			}
		}
	}
}

func TestOutput_ColoursAreOfThePartsAndNeverInData(t *testing.T) {
	t.Parallel()
	for _, line := range steeringLooks {
		plain, painted := printed(t, line+" --color never", "table"), printed(t, line+" --color always", "table")
		for _, code := range colorCodes {
			painted = strings.ReplaceAll(painted, "\x1b["+code+"m", "")
		}
		if painted = strings.ReplaceAll(painted, "\x1b[0m", ""); painted != plain {
			t.Errorf("chatops %s in colour prints\n%s\nwant\n%s", line, painted, plain)
		}
		for _, format := range []string{"", "json", "jsonl", "yaml", "csv", "markdown"} {
			if got := printed(t, line+" --color always", format); strings.ContainsRune(got, 0x1b) {
				t.Errorf("chatops %s -o %s is coloured: %q", line, format, got)
			}
		}
	}
}

func TestOutput_NarrowTerminalKeepsWhatIsWhole(t *testing.T) {
	t.Parallel()
	for _, width := range []int{20, 40, 60, 80} {
		c := newSteeringConsole(t).terminal("")
		c.Width = width
		for line, whole := range map[string][]string{
			"dlq operations list --all": {"op_1", "op_2", "op_3"}, "dlq groups": {"abc123"}, "audit list": {"1"}, "dlq operations show op_2": {"op_2", "running"},
		} {
			c.must(exitOK, line+" --color never")
			for _, want := range whole {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("chatops %s at %d columns lacks %s:\n%s", line, width, want, &c.out)
				}
			}
		}
	}
}
