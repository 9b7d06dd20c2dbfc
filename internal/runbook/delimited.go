package runbook

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

// encodeCSV writes the first table of a result as RFC 4180 CSV that is safe to
// open in a spreadsheet.
func encodeCSV(sections []section, headers bool) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, s := range sections {
		if len(s.columns) == 0 {
			continue
		}
		if headers {
			_ = w.Write(columnNames(s.columns))
		}
		for _, row := range s.rows {
			cells := make([]string, len(row))
			for i, cell := range row {
				cells[i] = csvCell(cell)
			}
			_ = w.Write(cells)
		}
		break
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, fmt.Errorf("encode the result as CSV: %w", err)
	}
	return b.Bytes(), nil
}

// csvCell cleans and defuses a cell. It looks at the text before cleaning too,
// because a leading tab is an escape afterwards.
func csvCell(cell string) string {
	cleaned := chatops.Harmless(cell)
	if defuse(cell) != cell {
		return "'" + cleaned
	}
	return defuse(cleaned)
}

// encodeTSV writes every section with tabs between the cells and nothing
// shortened, for pipes. Cells never hold a tab or line break.
func encodeTSV(sections []section, headers bool) []byte {
	var b bytes.Buffer
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		writeText(&b, s.text)
		if headers && len(s.columns) > 0 {
			b.WriteString(strings.Join(columnNames(s.columns), "\t") + "\n")
		}
		for _, row := range s.rows {
			b.WriteString(strings.Join(cleanRow(row), "\t") + "\n")
		}
	}
	return b.Bytes()
}

// encodeMarkdown writes every section as a GitHub table.
func encodeMarkdown(sections []section, headers bool) []byte {
	var b bytes.Buffer
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		if s.title != "" {
			fmt.Fprintf(&b, "**%s**\n\n", markdownCell(s.title))
		}
		for line := range strings.SplitSeq(s.text, "\n") {
			if s.text != "" {
				b.WriteString("    " + chatops.Harmless(line) + "\n")
			}
		}
		if len(s.columns) == 0 {
			continue
		}
		names := columnNames(s.columns)
		if !headers {
			names = make([]string, len(s.columns))
		}
		writeMarkdownRow(&b, names)
		rule := make([]string, len(s.columns))
		for j, c := range s.columns {
			rule[j] = "---"
			if c.right {
				rule[j] = "---:"
			}
		}
		b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
		for _, row := range s.rows {
			writeMarkdownRow(&b, row)
		}
	}
	return b.Bytes()
}

func writeMarkdownRow(b *bytes.Buffer, row []string) {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = markdownCell(cell)
	}
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

var markdownEscape = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "~", `\~`, "!", `\!`,
)

// markdownCell cleans a cell and takes every meaning from its characters. An
// underscore within a word has none.
func markdownCell(cell string) string {
	words := strings.Split(markdownEscape.Replace(chatops.Harmless(cell)), " ")
	for i, word := range words {
		if strings.HasPrefix(word, "_") || strings.HasSuffix(word, "_") {
			words[i] = strings.ReplaceAll(word, "_", `\_`)
		}
	}
	return strings.Join(words, " ")
}

// writeText writes a text line by line, each made harmless.
func writeText(b *bytes.Buffer, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(chatops.Harmless(line) + "\n")
	}
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

func cleanRow(row []string) []string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = chatops.Harmless(cell)
	}
	return cells
}
