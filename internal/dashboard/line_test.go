package dashboard

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestLine_FitsExactly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		line  line
		width int
		want  string
	}{
		{"shorter", text(toneNone, "ab"), 4, "ab  "},
		{"as long", text(toneNone, "abcd"), 4, "abcd"},
		{"longer", text(toneNone, "abcdef"), 4, "abc~"},
		{"blanks at the end are no loss", text(toneNone, "abcd    "), 4, "abcd"},
		{"two pieces, cut in the second", line{{"ab", toneBad}, {"cdef", toneNone}}, 4, "abc~"},
		{"two pieces, cut at the first", line{{"abcdef", toneBad}, {"gh", toneNone}}, 4, "abc~"},
		{"wide characters", text(toneNone, "日本語"), 5, "日本~"},
		{"nothing", nil, 3, "   "},
		{"no room", text(toneNone, "abc"), 0, ""},
		{"less than no room", text(toneNone, "abc"), -5, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.line.fit(tt.width).plain(); got != tt.want {
				t.Errorf("%q fits %d columns as %q, want %q", tt.line.plain(), tt.width, got, tt.want)
			}
		})
	}
}

func TestLine_OfAnyText_FitsAndIsHarmless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := text(toneBad, rapid.String().Draw(t, "a")).plus(text(toneGood, rapid.String().Draw(t, "b")))
		width := rapid.IntRange(0, 60).Draw(t, "width")
		got := l.fit(width)
		if w := got.width(); w > width {
			t.Fatalf("%q takes %d of %d columns", got.plain(), w, width)
		}
		if strings.ContainsFunc(got.plain(), chatops.Harmful) {
			t.Fatalf("%q is not harmless", got.plain())
		}
	})
}

func TestSpread_KeepsTheRightEdge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		left, right string
		width       int
		want        string
	}{
		{"both fit", "left", "right", 14, "left     right"},
		{"the left one is cut", "a long left side", " right", 16, "a long le~ right"},
		{"no room for the right one", "left", "right", 10, "left      "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := spread(text(toneNone, tt.left), text(toneNone, tt.right), tt.width).plain(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestTable_AlignsAndCutsWhatIsFlexible(t *testing.T) {
	t.Parallel()
	columns := []column{{}, {right: true}, {flex: true}}
	rows := [][]piece{
		{{"name", toneDim}, {"n", toneDim}, {"why", toneDim}},
		{{"a", toneNone}, {"1000", toneNone}, {"a reason that is much longer than there is room for", toneNone}},
		{{"longer", toneNone}, {"1", toneNone}, {"x\x1b[2J", toneNone}},
	}
	lines := table(columns, rows, 30)
	want := []string{
		"name      n why               ",
		"a      1000 a reason that is ~",
		`longer    1 x\x1b[2J          `,
	}
	for i, l := range lines {
		if got := l.plain(); got != want[i] {
			t.Errorf("row %d is %q, want %q", i, got, want[i])
		}
	}
	if got := len(table(columns, nil, 30)); got != 0 {
		t.Errorf("a table of nothing has %d lines", got)
	}
}

func TestTable_OfAnyTextAndWidth_Fits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := []column{{}, {right: true}, {flex: true}}
		var rows [][]piece
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			rows = append(rows, []piece{
				{rapid.String().Draw(t, "a"), toneNone},
				{rapid.StringN(0, 6, 20).Draw(t, "b"), toneBad},
				{rapid.String().Draw(t, "c"), toneDim},
			})
		}
		width := rapid.IntRange(1, 80).Draw(t, "width")
		for _, l := range table(columns, rows, width) {
			if w := l.width(); w > width {
				t.Fatalf("%q takes %d of %d columns", l.plain(), w, width)
			}
		}
	})
}

func TestPainter_KnowsTheColoursWithoutAsking(t *testing.T) {
	t.Parallel()
	var asked strings.Builder
	o := &Options{Out: &asked, Colour: true}
	lines := []line{{{"bad", toneBad}, {" ", toneNone}, {"dim", toneDim}, {"  ", toneNone}}}
	if got, want := newPainter(o).draw(lines), "\x1b[1;31mbad\x1b[0m \x1b[2mdim\x1b[0m"; got != want {
		t.Errorf("in colours it is %q, want %q", got, want)
	}
	o.Colour = false
	if got, want := newPainter(o).draw(lines), "bad dim"; got != want {
		t.Errorf("without colours it is %q, want %q", got, want)
	}
	if asked.Len() > 0 {
		t.Errorf("the terminal was sent %q", asked.String())
	}
}

func TestPainter_UsesSixteenColoursOnly(t *testing.T) {
	t.Parallel()
	d := drawIncident(t, 120, 40, true)
	for part := range strings.SplitSeq(d.View(), "\x1b[") {
		code, _, found := strings.Cut(part, "m")
		if found && (strings.Contains(code, "38;") || strings.Contains(code, "48;")) {
			t.Errorf("a colour beyond the sixteen: %q", code)
		}
	}
}

func TestShare_GivesOutEveryLineThatIsWantedAndNoMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var drawn []content
		wanted := 0
		for range rapid.IntRange(1, 6).Draw(t, "panels") {
			n := rapid.IntRange(0, 20).Draw(t, "rows")
			drawn = append(drawn, content{rows: make([]row, n)})
			wanted += n
		}
		lines := rapid.IntRange(-3, 60).Draw(t, "lines")
		sum := 0
		for i, n := range share(drawn, lines) {
			if n < 0 || n > len(drawn[i].rows) {
				t.Fatalf("panel %d gets %d lines and has %d", i, n, len(drawn[i].rows))
			}
			sum += n
		}
		if want := min(wanted, max(lines, 0)); sum != want {
			t.Fatalf("%d lines were given out, want %d", sum, want)
		}
	})
}

func TestFirst_SpendsFewLinesOnNoHead(t *testing.T) {
	t.Parallel()
	rows := []row{
		{line: text(toneDim, "head"), head: true},
		{line: text(toneNone, "one")},
		{line: text(toneNone, "two")},
		{line: text(toneNone, "three")},
	}
	for n, want := range []string{"", "one", "one two", "head one two", "head one two three"} {
		var got []string
		for _, r := range first(rows, n) {
			got = append(got, r.line.plain())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("the first %d rows are %v, want %s", n, got, want)
		}
	}
}

func TestBeside_PutsColumnsNextToEachOther(t *testing.T) {
	t.Parallel()
	left := []line{text(toneNone, "a"), text(toneNone, "bb")}
	right := []line{text(toneNone, "c")}
	got := beside(left, right, 3)
	if len(got) != 2 || got[0].plain() != "a   | c" || got[1].plain() != "bb  | " {
		t.Errorf("%q, %q", got[0].plain(), got[1].plain())
	}
}

func TestWrap_BreaksAtBlanks(t *testing.T) {
	t.Parallel()
	for part := range strings.SplitSeq(wrap("one two three four-five "+strings.Repeat("x", 30), 9), "\n") {
		if ansi.StringWidth(part) > 9 {
			t.Errorf("a part of %q", part)
		}
	}
}

func TestMoments_AreWorded(t *testing.T) {
	t.Parallel()
	tests := []struct{ got, want string }{
		{since(noon, noon.Add(90e9)), "1m 30s"},
		{since(noon.Add(-1), noon.Add(-1)), "0s"},
		{until(noon, noon), "now"},
		{until(noon.Add(61e9), noon), "in 1m 1s"},
		{words("", "a", "", "b"), "a, b"},
		{words(), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
