package e2e

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"chatops/internal/sendertest"
)

// pictureEnv names the file that TestPicture_OfTheDashboard draws, for
// `make screenshot`.
const pictureEnv = "SCREENSHOT"

// The picture in README is of a real incident: two replicas, Slack down, people
// who chat and a client that hammers. Only the machine's name is replaced.
func TestPicture_OfTheDashboard(t *testing.T) {
	t.Parallel()
	path := os.Getenv(pictureEnv)
	if path == "" {
		t.Skip("no picture is wanted: make screenshot draws it")
	}
	w := newWorld(t, postgres)
	w.limited()
	w.useRedis()
	w.env["CB_FAIL_MAX"], w.env["CB_RESET_TIMEOUT"] = "3", "600"
	for _, name := range []string{"CHAT_RATE_LIMIT", "API_RATE_LIMIT_MINUTE", "LEAD_RATE_LIMIT"} {
		w.env[name] = "100000 per minute"
	}
	w.env["API_RATE_LIMIT_HOUR"] = "100000 per hour"
	replicas := []*server{w.serve(), w.serve()}
	p := w.openPane(112, 29, "dashboard", "--write")
	p.await("OK  nothing needs you", "2 live")
	replicas[0].visitors(100, 4, func() {})
	w.slack.Set(sendertest.Behaviour{Status: http.StatusServiceUnavailable})
	w.exec(`insert into dead_letter_queue (event_type, target, payload, idempotency_key, status, error_message, fingerprint, created_at)
		values ('monday_item', 'monday:leads', '{}', 'old', 'failed', 'monday: invalid column dropdown', 'monday:column', now() - interval '20 minutes')`)
	for round := range 4 {
		replicas[round%2].visitors(10*round, 10, func() {})
		replicas[0].hammers(25)
	}
	p.await("INCIDENT  press 3: slack open on 2/2 replicas", "refused")
	screen := inPlace(p.colours(), strings.TrimSuffix(w.text(`select current_database()`), "\n"), "chatops")
	for i, s := range replicas {
		screen = inPlace(screen, w.text(`select instance from server_instance where instance like ?`, fmt.Sprint("%:", s.pid())), fmt.Sprintf("ops-%d:%d", i+1, s.pid()))
	}
	if err := os.WriteFile(path, []byte(drawTerminal(screen)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inPlace puts one word in another's place, and leaves everything else where it is.
func inPlace(screen, word, with string) string {
	return strings.ReplaceAll(screen, word, fmt.Sprintf("%-*s", len(word), with)[:len(word)])
}

// Sizes of a terminal's picture, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18
	margin     = 14
)

// ink is how a terminal writes.
type ink struct {
	bold, dim, reverse bool
	colour             int // of the eight; -1: the terminal's own
}

// colours of the eight, on a dark ground.
var colours = []string{"#20242c", "#ff6b6b", "#7ed491", "#e8c468", "#6fa8ff", "#c792ea", "#67d4d4", "#d7dae0"}

const ground, own, faint = "#16181d", "#d7dae0", "#858b96"

// fill is the colour in which a terminal writes.
func (k ink) fill() string {
	switch {
	case k.reverse:
		return ground
	case k.colour >= 0:
		return colours[k.colour]
	case k.dim:
		return faint
	}
	return own
}

// apply takes the parameters of a colour sequence in.
func (k ink) apply(parameters string) ink {
	for p := range strings.SplitSeq(parameters, ";") {
		switch n, _ := strconv.Atoi(p); {
		case n == 0:
			k = ink{colour: -1}
		case n == 1:
			k.bold = true
		case n == 2:
			k.dim = true
		case n == 7:
			k.reverse = true
		case n == 22:
			k.bold, k.dim = false, false
		case n == 27:
			k.reverse = false
		case n >= 30 && n <= 37:
			k.colour = n - 30
		case n == 39:
			k.colour = -1
		}
	}
	return k
}

// drawTerminal draws what a terminal shows, with its colours, as SVG. Each piece
// of text is put on the grid by itself, so that no font can shift the columns.
func drawTerminal(screen string) string {
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	columns := 0
	var body strings.Builder
	k := ink{colour: -1}
	for row, l := range lines {
		column := 0
		for i, part := range strings.Split(l, "\x1b[") {
			if i > 0 {
				parameters, rest, _ := strings.Cut(part, "m")
				k, part = k.apply(parameters), rest
			}
			column += drawPiece(&body, k, part, row, column)
		}
		columns = max(columns, column)
	}
	width, height := 2*margin+cellWidth*float64(columns), 2*margin+cellHeight*len(lines)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img" aria-label="chatops dashboard during an incident">
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">
%s</g>
</svg>
`, width, height, width, height, ground, body.String())
}

// drawPiece draws text of one ink and returns how many columns it takes.
func drawPiece(b *strings.Builder, k ink, text string, row, column int) int {
	width, y := utf8.RuneCountInString(text), margin+cellHeight*row
	if k.reverse && width > 0 {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", margin+cellWidth*float64(column), y, cellWidth*float64(width), cellHeight, own)
	}
	weight := ""
	if k.bold {
		weight = ` font-weight="bold"`
	}
	for _, word := range strings.SplitAfter(text, " ") { // blanks are not drawn: viewers treat them differently
		if shown := strings.TrimSuffix(word, " "); shown != "" {
			var escaped strings.Builder
			_ = xml.EscapeText(&escaped, []byte(shown)) // a builder takes everything
			fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`+"\n",
				margin+cellWidth*float64(column), y+cellHeight-4, cellWidth*float64(utf8.RuneCountInString(shown)), k.fill(), weight, escaped.String())
		}
		column += utf8.RuneCountInString(word)
	}
	return width
}

func TestPicture_PutsEachPieceOnTheGrid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		screen string
		want   []string
	}{
		{
			name:   "plain",
			screen: "a < b\n\n",
			want:   []string{`<text x="30.8" y="28" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#d7dae0">&lt;</text>`, `height="46"`},
		},
		{
			name:   "a colour, and what follows it",
			screen: "  \x1b[1;31mINCIDENT\x1b[0m  of\n",
			want: []string{
				`<text x="30.8" y="28" textLength="67.2" lengthAdjust="spacingAndGlyphs" fill="#ff6b6b" font-weight="bold">INCIDENT</text>`,
				`<text x="114.8" y="28" textLength="16.8" lengthAdjust="spacingAndGlyphs" fill="#d7dae0">of</text>`,
			},
		},
		{
			name:   "a colour that goes on in the next line",
			screen: "\x1b[33mslow\nolder\x1b[39m now",
			want:   []string{`y="46" textLength="42.0" lengthAdjust="spacingAndGlyphs" fill="#e8c468">older<`, `fill="#d7dae0">now<`},
		},
		{
			name:   "dim, and no longer",
			screen: "\x1b[2mlive 0s\x1b[22m bars ▁█",
			want:   []string{`fill="#858b96">live<`, `<text x="123.2" y="28" textLength="16.8" lengthAdjust="spacingAndGlyphs" fill="#d7dae0">▁█<`},
		},
		{
			name:   "the cursor",
			screen: "> \x1b[7mslack \x1b[27m",
			want:   []string{`<rect x="30.8" y="14" width="50.4" height="18" fill="#d7dae0"/>`, `fill="#16181d">slack<`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := drawTerminal(tt.screen)
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("the picture lacks\n%s\n%s", want, got)
				}
			}
			if err := xml.Unmarshal([]byte(got), new(struct {
				XMLName xml.Name `xml:"svg"`
			})); err != nil {
				t.Errorf("it is no XML: %v", err)
			}
		})
	}
}
