package dashboard

import (
	"strings"
	"time"
)

// itemKind is what a row is about, which says what can be done with it.
type itemKind string

// The kinds of item.
const (
	itemNone    itemKind = ""
	itemQueue   itemKind = "queue"
	itemCause   itemKind = "cause"
	itemBreaker itemKind = "breaker"
	itemLimit   itemKind = "limit"
	itemClient  itemKind = "client"
	itemBlock   itemKind = "block"
	itemJob     itemKind = "job"
	itemAlert   itemKind = "alert"
)

// item is what a row is about.
type item struct {
	kind itemKind
	id   string
}

// row is a line of a panel that may be chosen.
type row struct {
	line line
	item item
	head bool // the names of columns, which few rows can do without
}

// content is what a panel shows: one line that says the most, and rows.
type content struct {
	summary line
	rows    []row
}

// look is what a panel draws from.
type look struct {
	picture *picture
	now     time.Time // by the clock of this machine
	heardAt time.Time // when the panel's feed told last
	width   int
	ascii   bool
	redis   *feed // nil where none is configured
}

// panel is a part of the overview. It only draws.
type panel struct {
	name     string
	feed     string // that it lives on
	about    string // of the findings that lead to it
	drawFunc func(*look) content
}

// panels are all panels, in the order of their keys.
func panels() []panel {
	return []panel{
		{"queue", "queue", "queue", drawQueue},
		{"causes", "causes", "causes", drawCauses},
		{"breakers", "fleet", "breakers", drawBreakers},
		{"limits", "fleet", "limits", drawLimits},
		{"jobs", "jobs", "jobs", drawJobs},
		{"replicas", "fleet", "replicas", drawReplicas},
	}
}

// unknown is the content of a panel whose source has told nothing.
func unknown() content { return content{summary: text(toneWarn, "unknown")} }

// rowsOf makes rows of a table whose first line names the columns; missing items
// are none.
func rowsOf(lines []line, items []item) []row {
	rows := make([]row, len(lines))
	for i := range lines {
		rows[i].line, rows[i].head = lines[i], i == 0
		if i < len(items) {
			rows[i].item = items[i]
		}
	}
	return rows
}

// words joins what is not empty.
func words(list ...string) string {
	var some []string
	for _, w := range list {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, ", ")
}
