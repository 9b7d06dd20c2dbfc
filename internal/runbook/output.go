package runbook

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// outputFormat is the value of --output; "" chooses by the terminal.
type outputFormat string

var outputFormats = []string{"table", "wide", "json", "jsonl", "yaml", "csv", "markdown"}

// formatTSV is what a pipe gets when no format was asked for.
const formatTSV outputFormat = "tsv"

// Set accepts a format's name.
func (o *outputFormat) Set(text string) error {
	return setWord((*string)(o), text, outputFormats)
}

// String returns the name.
func (o *outputFormat) String() string { return string(*o) }

// Type names the value in the help.
func (o *outputFormat) Type() string { return "format" }

// colorMode is the value of --color.
type colorMode string

var colorModes = []string{"auto", "always", "never"}

// Set accepts a mode's name.
func (c *colorMode) Set(text string) error { return setWord((*string)(c), text, colorModes) }

// String returns the name.
func (c *colorMode) String() string { return string(*c) }

// Type names the value in the help.
func (c *colorMode) Type() string { return "when" }

func setWord(target *string, text string, words []string) error {
	if !slices.Contains(words, text) {
		return fmt.Errorf("must be one of %s", strings.Join(words, ", "))
	}
	*target = text
	return nil
}

// result is what a run found or did. Its JSON encoding is the contract with
// scripts; its sections are what people see.
type result interface {
	sections(wide bool) []section
}

// elements is a result that is a list: jsonl prints one element in a line.
type elements interface{ elements() []any }

// pointers are the elements of a list, where they stand.
func pointers[T any](items []T) []any {
	list := make([]any, len(items))
	for i := range items {
		list[i] = &items[i]
	}
	return list
}

// section is a titled table, or a text, of a result.
type section struct {
	title   string
	columns []column
	rows    [][]string
	text    string // instead of a table; its line breaks are kept
}

// column is a column of a table.
type column struct {
	name      string
	right     bool                // numbers
	flex      bool                // shortened first when the terminal is narrow
	whole     bool                // never shortened
	colorFunc func(string) string // name of the colour of a cell; nil: none
}

// fields is a section of names and values.
func fields(pairs ...string) section {
	s := section{columns: []column{{name: "field", whole: true}, {name: "value", whole: true}}}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.rows = append(s.rows, []string{pairs[i], pairs[i+1]})
	}
	return s
}

// format is the format in force.
func (e *Env) format() outputFormat {
	switch {
	case e.opts.output != "":
		return e.opts.output
	case e.OutTTY:
		return "table"
	}
	return formatTSV
}

// colored reports whether a stream gets colours.
func (e *Env) colored(tty bool) bool {
	switch e.opts.color {
	case "always":
		return true
	case "never":
		return false
	}
	return tty && e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb"
}

// render prints a result on standard output in the format in force.
func (e *Env) render(r result) error {
	raw, err := e.encode(r)
	if err != nil {
		return err
	}
	_, err = e.Out.Write(raw)
	return unwritten(err)
}

func (e *Env) encode(r result) ([]byte, error) {
	switch format := e.format(); format {
	case "json":
		return encodeJSON(r, "  ")
	case "jsonl":
		return encodeLines(r)
	case "yaml":
		return encodeYAML(r)
	case "csv":
		return encodeCSV(r.sections(true), !e.opts.noHeaders)
	case "markdown":
		return encodeMarkdown(r.sections(false), !e.opts.noHeaders), nil
	case formatTSV:
		return encodeTSV(r.sections(false), !e.opts.noHeaders), nil
	default:
		t := tableStyle{headers: !e.opts.noHeaders, color: e.colored(e.OutTTY)}
		if e.OutTTY && format == "table" {
			t.width = e.Width
		}
		return encodeTable(r.sections(format == "wide"), t)
	}
}

// encodeLines encodes one JSON value in a line: each element of a list, or the
// whole result.
func encodeLines(r result) ([]byte, error) {
	list := []any{r}
	if l, ok := r.(elements); ok {
		list = l.elements()
	}
	var b bytes.Buffer
	for _, v := range list {
		raw, err := encodeJSON(v, "")
		if err != nil {
			return nil, err
		}
		b.Write(raw)
	}
	return b.Bytes(), nil
}

// dryRunFlag registers --dry-run for a command that changes something.
func dryRunFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "dry-run", false, "show what would be changed, and change nothing")
}
