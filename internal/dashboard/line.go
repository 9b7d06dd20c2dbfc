package dashboard

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"chatops/internal/chatops"
)

// tone is how a piece of text is meant. It only supports a word that says the
// same.
type tone int

const (
	toneNone tone = iota
	toneDim
	toneGood
	toneWarn
	toneBad
	toneBold
	toneCursor
)

// piece is text in one tone.
type piece struct {
	text string
	tone tone
}

// line is a line of the screen.
type line []piece

// text makes a line, with whatever comes from outside made harmless.
func text(t tone, s string) line { return line{{chatops.Harmless(s), t}} }

// plus appends another line.
func (l line) plus(other line) line {
	return append(append(make(line, 0, len(l)+len(other)+1), l...), other...)
}

// plain is the line without tones.
func (l line) plain() string {
	var b strings.Builder
	for _, p := range l {
		b.WriteString(p.text)
	}
	return b.String()
}

func (l line) width() int {
	n := 0
	for _, p := range l {
		n += ansi.StringWidth(p.text)
	}
	return n
}

// fit cuts or fills a line to a width.
func (l line) fit(width int) line {
	for n := len(l); n > 0; n-- { // blanks at the end are no reason to cut
		last := l[n-1]
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			out := make(line, 0, n+1)
			return append(append(out, l[:n-1]...), last).cut(max(width, 0))
		}
	}
	return line{}.cut(max(width, 0))
}

// cut cuts or fills a line that is the caller's own.
func (l line) cut(left int) line {
	for i := range l {
		w := ansi.StringWidth(l[i].text)
		if w > left {
			l[i].text = ansi.Truncate(l[i].text, left, "~")
			left -= ansi.StringWidth(l[i].text)
			l = l[:i+1]
			break
		}
		left -= w
	}
	if left > 0 {
		l = append(l, piece{strings.Repeat(" ", left), toneNone})
	}
	return l
}

// in gives the whole line one tone.
func (l line) in(t tone) line { return line{{l.plain(), t}} }

// spread puts one line at the left edge and another at the right one; what does
// not fit is cut from the left one.
func spread(left, right line, width int) line {
	room := width - right.width()
	if room < 8 {
		return left.fit(width)
	}
	return left.fit(room).plus(right)
}

// column is a column of a table.
type column struct {
	right bool
	flex  bool // takes the room that is left
}

// table lays rows out in columns of a width; cells are separated by a blank.
// Columns that do not fit are cut at the right edge.
func table(columns []column, rows [][]piece, width int) []line {
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i := range row {
			row[i].text = chatops.Harmless(row[i].text)
			widths[i] = max(widths[i], ansi.StringWidth(row[i].text))
		}
	}
	shrink(columns, widths, width)
	lines := make([]line, 0, len(rows))
	for _, row := range rows {
		var l line
		for i, cell := range row {
			if i > 0 {
				l = append(l, piece{" ", toneNone})
			}
			l = append(l, pad(cell, widths[i], columns[i].right))
		}
		lines = append(lines, l.fit(width))
	}
	return lines
}

// shrink gives the flexible column what the others leave.
func shrink(columns []column, widths []int, width int) {
	used, flexible := len(columns)-1, -1
	for i := range columns {
		if columns[i].flex {
			flexible = i
		} else {
			used += widths[i]
		}
	}
	if flexible >= 0 {
		widths[flexible] = max(min(widths[flexible], width-used), min(widths[flexible], 6))
	}
}

func pad(p piece, width int, right bool) piece {
	if over := ansi.StringWidth(p.text) - width; over > 0 {
		p.text = ansi.Truncate(p.text, width, "~")
	}
	fill := strings.Repeat(" ", max(0, width-ansi.StringWidth(p.text)))
	if right {
		p.text = fill + p.text
	} else {
		p.text += fill
	}
	return p
}

// painter draws lines. It has a renderer of its own, which is told what the
// terminal can do and never asks it, and is asked itself only once for each tone.
type painter struct{ styles map[tone]paint }

// paint is what stands before and after a text of a tone.
type paint struct{ before, after string }

// paintOf is what a style puts around a text.
func paintOf(style lipgloss.Style) paint {
	before, after, _ := strings.Cut(style.Render("x"), "x")
	return paint{before, after}
}

func newPainter(o *Options) *painter {
	r := lipgloss.NewRenderer(o.Out, termenv.WithProfile(termenv.Ascii), termenv.WithUnsafe())
	r.SetHasDarkBackground(true)
	if !o.Colour {
		return &painter{}
	}
	r.SetColorProfile(termenv.ANSI)
	colour := func(c string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(c)) }
	return &painter{map[tone]paint{
		toneDim: paintOf(r.NewStyle().Faint(true)), toneGood: paintOf(colour("2")), toneWarn: paintOf(colour("3")),
		toneBad: paintOf(colour("1").Bold(true)), toneBold: paintOf(r.NewStyle().Bold(true)), toneCursor: paintOf(r.NewStyle().Reverse(true)),
	}}
}

// draw makes the screen's text.
func (p *painter) draw(lines []line) string {
	rows := make([]string, len(lines))
	for i, l := range lines {
		var b strings.Builder
		for _, part := range l {
			style := p.styles[part.tone]
			if part.text == "" {
				continue
			}
			b.WriteString(style.before)
			b.WriteString(part.text)
			b.WriteString(style.after)
		}
		rows[i] = strings.TrimRight(b.String(), " ")
	}
	return strings.Join(rows, "\n")
}
