package runbook

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/config"
)

func TestVersion_NamesTheBuild(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.SchemaVersionFunc = func() int64 { return 7 }
	c.must(exitOK, "version -o json")
	var v map[string]any
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"version", "commit", "date", "go", "schema_version"} {
		if _, ok := v[key]; !ok {
			t.Errorf("version lacks %s: %s", key, &c.out)
		}
	}
	if v["schema_version"] != 7.0 || v["version"] == "" || !strings.HasPrefix(v["go"].(string), "go") || v["version"] != Version() || v["commit"] != Commit() {
		t.Errorf("version is %v", v)
	}
}

func TestDocsGenerate_WritesTheSameBytesEachTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("# x\n"+tableBegin+"old\n"+tableEnd+"\nend\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := generateInto(t, dir)
	second := generateInto(t, dir)
	for _, path := range []string{
		"completions/chatops.bash", "completions/_chatops", "completions/chatops.fish", "completions/chatops.ps1",
		"deploy/man/chatops.1", "deploy/man/chatops-dlq.1", "deploy/man/chatops-dlq-retry.1", "deploy/man/chatops-serve.1",
	} {
		if len(first[path]) == 0 {
			t.Errorf("%s was not written", path)
		}
	}
	for path, raw := range first {
		if !bytes.Equal(raw, second[path]) {
			t.Errorf("%s differs between two runs", path)
		}
	}
	for path := range first {
		if strings.Contains(path, "docs-generate") || strings.Contains(path, "chatops-docs") {
			t.Errorf("a hidden command has the page %s", path)
		}
	}
	if want := "# x\n" + tableBegin + config.MarkdownTable() + tableEnd + "\nend\n"; string(first["README.md"]) != want {
		t.Errorf("README is %s", first["README.md"])
	}
}

// generateInto runs the command and reads what it wrote.
func generateInto(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	newConsole(t, newFakeStore()).must(exitOK, "docs generate "+dir)
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestDocsGenerate_LeavesAREADMEWithoutMarksAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("plain"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := generateInto(t, dir)["README.md"]; string(got) != "plain" {
		t.Errorf("README is %s", got)
	}
}

func TestManPage_EscapesRoff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		".dot": `\&.dot`, "'quote": `\&'quote`, "a-b": `a\-b`, `back\slash`: `back\eslash`, "x\n.y": "x\n\\&.y",
	} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %q, want %q", in, got, want)
		}
	}
	c := newConsole(t, newFakeStore())
	files, err := generateDocs(newRoot(c.Env))
	if err != nil {
		t.Fatal(err)
	}
	page := string(files["deploy/man/chatops-dlq-retry.1"])
	for _, want := range []string{".TH CHATOPS-DLQ-RETRY 1", ".SH NAME\nchatops\\-dlq\\-retry \\- ", ".B \\-\\-dry\\-run\n", ".SH EXIT STATUS\n", ".BR chatops\\-dlq (1)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestCompletion_OffersFormatsAndStatuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"__complete dlq list -o j":        "table\nwide\njson\n",
		"__complete dlq list --status fa": "all\nqueued\npending\nfailed\n",
		"__complete dlq re":               "retry\t",
		"__complete completion z":         "zsh\n",
	} {
		c := newConsole(t, newFakeStore())
		c.must(exitOK, line)
		if !strings.HasPrefix(c.out.String(), want) {
			t.Errorf("%s offers %q, want %q", line, &c.out, want)
		}
	}
}
