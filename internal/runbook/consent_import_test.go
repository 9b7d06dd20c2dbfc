package runbook

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestReadAddresses_OfEveryForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		keys       string
		bad        string
		duplicates int
	}{
		{"one in a line", "a@x.pl\nB@X.pl\n", "a@x.pl b@x.pl", "", 0},
		{"CRLF, BOM, header", "\xef\xbb\xbfEmail\r\na@x.pl\r\n", "a@x.pl", "", 0},
		{"a column of several", "name,e-mail,since\n\"Kowalski, Jan\",a@x.pl,2020\nOla,b@x.pl,2021", "a@x.pl b@x.pl", "", 0},
		{"semicolons, Polish header", "imię;Adres e-mail\nJan;a@x.pl\n", "a@x.pl", "", 0}, //nolint:misspell // Polish
		{"tabs", "email\tname\na@x.pl\tJan\n", "a@x.pl", "", 0},
		{"repeated", "a@x.pl\nA@x.pl\n a@X.PL \n", "a@x.pl", "", 2},
		{"defused by a spreadsheet", "'+tag@x.pl\n'jan@x.pl\n", "+tag@x.pl 'jan@x.pl", "", 0},
		{"bad lines", "email\na@x.pl\nnobody\n\n\"\"\nb@x.pl\n\xff@x.pl\n", "a@x.pl b@x.pl", "3 5 7", 0},
		{"short line", "name,email\nJan\nOla,b@x.pl\n", "b@x.pl", "2", 0},
		{"a quote within", "email\na\"@x.pl\nb@x.pl\n", "b@x.pl", "2", 0},
		{"a cell over two lines", "note,email\n\"two\nlines\",a@x.pl\nx,nobody\n", "a@x.pl", "4", 0},
		{"empty", "", "", "", 0},
		{"header only", "email\n", "", "", 0},
	} {
		list, err := readAddresses([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var bad []string
		for _, b := range list.bad {
			bad = append(bad, fmt.Sprint(b.Line))
		}
		if got := strings.Join(list.keys, " "); got != tt.keys || strings.Join(bad, " ") != tt.bad || list.duplicates != tt.duplicates {
			t.Errorf("%s: addresses %q, bad lines %v, %d duplicates", tt.name, got, bad, list.duplicates)
		}
	}
}

func TestReadAddresses_RefusesWhatItCannotBeSureOf(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"\xff\xfea\x00":                   "UTF-16",
		"a@x.pl,Jan\nb@x.pl,Ola":          "line 1 has 2 columns and none is called email",
		"email\na@x.pl\n\"b@x.pl\nc@x.pl": "line 3: a quote is not closed",
		"email\n\"a@x.pl\"x\nb@x.pl":      "line 2: a quote is not closed, or followed by something",
	} {
		if list, err := readAddresses([]byte(text)); chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(chatops.ErrorMessage(err), says) {
			t.Errorf("%q: %+v, %v; want %q", text, list, err, says)
		}
	}
}

func TestReadAddresses_LosesNoLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a@x.pl", "B@x.pl", "c@żółw.pl", "nobody", "@", "d@x", "a b@x.pl", "'=e@x.pl"}), 1, 40).Draw(t, "lines")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		list, err := readAddresses([]byte("email" + end + strings.Join(lines, end)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(list.keys) + list.duplicates + len(list.bad); n != len(lines) {
			t.Fatalf("%d of %d lines are accounted for", n, len(lines))
		}
		for _, b := range list.bad {
			if !slices.Contains([]string{"nobody", "@", "d@x", "a b@x.pl"}, lines[b.Line-2]) {
				t.Fatalf("line %d, %q, is called bad", b.Line, lines[b.Line-2])
			}
		}
	})
}

func TestConsentImport_StoresNamesTheBadAndCounts(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.files["list.csv"] = "email;name\n" + janTyped + ";Jan\nola@x.example;Ola\nnobody;\nOLA@x.example;Ola\n"
	line := "consent import list.csv --source mailer --reason move -o jsonl"
	c.must(exitPartial, line+" --dry-run")
	c.prints(`{"addresses":2,"added":0,"already":0,"duplicates":1,"bad_lines":1,"bad":[{"line":4,"problem":"not an e-mail address"}],"dry_run":true}` + "\n")
	if n := len(c.store.people.suppressed) + len(c.store.actions); n > 0 {
		t.Errorf("a dry run changes %d things", n)
	}
	c.must(exitRefused, line)
	c.must(exitPartial, line+" --yes")
	c.says("line 4: not an e-mail address", "suppress 2 addresses (scope marketing, source mailer)", "1 line held no address and was skipped")
	c.prints(`{"addresses":2,"added":2,"already":0,"duplicates":1,"bad_lines":1,"bad":[{"line":4,"problem":"not an e-mail address"}],"dry_run":false}` + "\n")
	if s := c.store.people.suppressed[janKey]; s.Scope != "marketing" || s.Source != "mailer" || !s.CreatedAt.Equal(noon) {
		t.Errorf("stored %+v", s)
	}
	if a := c.store.actions; len(a) != 1 || a[0].Filter != `{"addresses":2,"scope":"marketing","source":"mailer"}` || a[0].Result != "ok: 2 added, 0 suppressed before" {
		t.Errorf("operator actions: %+v", a)
	}
	c.wroteNothingPersonal()
	c.files["list.csv"] = janKey + "\n"
	c.must(exitOK, line+" --yes")
	c.prints(`{"addresses":1,"added":0,"already":1,"duplicates":0,"bad_lines":0,"bad":[],"dry_run":false}` + "\n")
	c.files["list.csv"] = "new@x.example\n" + janKey + "\nola@x.example\n"
	c.must(exitOK, line+" --dry-run")
	c.prints(`{"addresses":3,"added":0,"already":2,"duplicates":0,"bad_lines":0,"bad":[],"dry_run":true}` + "\n")
	c.store.err = chatops.Errorf(chatops.CodeUnavailable, "count: connection refused")
	c.must(exitOK, line+" --dry-run")
	c.prints(`{"addresses":3,"added":0,"already":null,"duplicates":0,"bad_lines":0,"bad":[],"dry_run":true}` + "\n")
	c.says("how many are suppressed already is not known: count: connection refused")
}

func TestConsentImport_Refusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line, file, says string
	}{
		{"consent import", "", "needs one file"},
		{"consent import missing.csv", "", "read the list: open missing.csv"},
		{"consent import list.csv", "", "holds no address: nothing was imported"},
		{"consent import list.csv", "nobody\nnowhere", "holds no address"},
		{"consent import list.csv", "a,b\n", "none is called email"},
		{"consent import list.csv --scope some", "a@x.pl", `--scope "some"`},
		{"consent import list.csv --source=", "a@x.pl", "--source: must be"},
	} {
		c := newConsole(t, newFakeStore())
		c.files["list.csv"] = tt.file
		c.must(exitUsage, tt.line+" --yes")
		c.says(tt.says)
		if c.store.people.batches > 0 {
			t.Errorf("%s stores something", tt.line)
		}
	}
	c := newConsole(t, newFakeStore()).profile("read_only = true\n")
	c.files["list.csv"] = "a@x.pl\n"
	c.must(exitRefused, "consent import list.csv --yes")
}

func TestConsentImport_TellsHowFarItGot(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for i := range importBatch + 5 {
		fmt.Fprintf(&list, "p%d@x.example\n", i)
	}
	c := newConsole(t, newFakeStore())
	c.In = strings.NewReader(list.String())
	c.store.people.batchErr = chatops.Errorf(chatops.CodeUnavailable, "store suppressions: connection refused")
	c.must(exitUnavailable, "consent import - --yes")
	c.says("5000 of 5005 addresses were stored; importing the file again goes on")
	if a := c.store.actions[0]; !strings.HasPrefix(a.Result, "error: store suppressions") {
		t.Errorf("written down as %q", a.Result)
	}
}
