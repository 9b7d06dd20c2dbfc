package runbook

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"chatops/internal/chatops"
)

// tableStyle is how tables are drawn.
type tableStyle struct {
	headers bool
	color   bool
	width   int // of the terminal; 0: unlimited
}

// gap is the space between columns.
const gap = "  "

// encodeTable draws every section for people.
func encodeTable(sections []section, style tableStyle) ([]byte, error) {
	var b bytes.Buffer
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		if s.title != "" {
			b.WriteString(chatops.Harmless(s.title) + "\n")
		}
		writeText(&b, s.text)
		if len(s.columns) == 0 {
			continue
		}
		if err := drawTable(&b, s, style); err != nil {
			return nil, fmt.Errorf("draw the table: %w", err)
		}
	}
	return b.Bytes(), nil
}

// drawTable draws one table without lines around its cells.
func drawTable(b *bytes.Buffer, s section, style tableStyle) error {
	header := make([]string, len(s.columns))
	for i, c := range s.columns {
		header[i] = strings.ToUpper(strings.ReplaceAll(c.name, "_", " "))
	}
	if !style.headers {
		header = make([]string, len(s.columns))
	}
	rows := make([][]string, len(s.rows))
	for i, row := range s.rows {
		rows[i] = cleanRow(row)
	}
	kept := fit(s.columns, header, rows, style.width)
	columns := s.columns[:kept]
	for i := range rows {
		rows[i] = rows[i][:kept]
	}
	if style.color {
		paint(columns, rows)
	}
	var drawn bytes.Buffer
	t := newTable(&drawn, columns)
	if style.headers {
		t.Header(header[:kept])
	}
	if err := t.Bulk(rows); err != nil {
		return err
	}
	if err := t.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(drawn.String()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return nil
}

// newTable configures the table writer: left-aligned, two spaces apart, no
// borders, cells taken as they are.
func newTable(b *bytes.Buffer, columns []column) *tablewriter.Table {
	align := make([]tw.Align, len(columns))
	for i, c := range columns {
		align[i] = tw.AlignLeft
		if c.right {
			align[i] = tw.AlignRight
		}
	}
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft, PerColumn: align},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: gap, Overwrite: true}},
	}
	return tablewriter.NewTable(b,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off}}),
	)
}

// narrowest is the width below which a column is not worth its place.
const narrowest = 6

// fit makes the table at most width columns wide. Where there is no room for
// all columns, those at the right are left out; then cells are shortened:
// flexible columns first, the widest first, then the others. Whole columns stay.
// It returns how many columns are left.
func fit(columns []column, header []string, rows [][]string, width int) int {
	if width <= 0 {
		return len(columns)
	}
	widths := make([]int, len(columns))
	least := -len(gap)
	kept := len(columns)
	for i, c := range columns {
		widths[i] = twwidth.Width(header[i])
		for _, row := range rows {
			widths[i] = max(widths[i], twwidth.Width(row[i]))
		}
		least += len(gap) + min(widths[i], narrowest)
		if c.whole {
			least += max(widths[i]-narrowest, 0)
		}
		if least > width && kept == len(columns) {
			kept = max(i, 2)
		}
	}
	kept = min(kept, len(columns))
	columns, widths = columns[:kept], widths[:kept]
	excess := len(gap)*(kept-1) - width
	for _, w := range widths {
		excess += w
	}
	excess = shrink(columns, widths, excess, narrowest, func(c column) bool { return c.flex })
	shrink(columns, widths, excess, 1, func(c column) bool { return !c.whole })
	for i, c := range columns {
		if c.whole {
			continue
		}
		header[i] = truncate(header[i], widths[i])
		for _, row := range rows {
			row[i] = truncate(row[i], widths[i])
		}
	}
	return kept
}

// truncate shortens text to a width and marks that it did.
func truncate(text string, width int) string {
	if twwidth.Width(text) <= width {
		return text
	}
	return twwidth.Truncate(text, width, "…")
}

// shrink takes excess from the widest columns that may give, one cell at a
// time, down to least; it returns what it could not take.
func shrink(columns []column, widths []int, excess, least int, may func(column) bool) int {
	for excess > 0 {
		widest := -1
		for i, c := range columns {
			if may(c) && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return excess
		}
		widths[widest]--
		excess--
	}
	return 0
}

// paint colours the cells of columns that have colours.
func paint(columns []column, rows [][]string) {
	for i, c := range columns {
		if c.colorFunc == nil {
			continue
		}
		for _, row := range rows {
			row[i] = colorize(row[i], c.colorFunc(row[i]))
		}
	}
}

var colorCodes = map[string]string{"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36"}

// colorize wraps text in a colour's codes; an unknown colour changes nothing.
func colorize(text, color string) string {
	code, ok := colorCodes[color]
	if !ok || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
