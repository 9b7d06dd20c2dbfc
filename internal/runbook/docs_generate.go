package runbook

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newDocsGenerate makes `docs generate`, which is for the product's own build.
func newDocsGenerate(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "generate DIR", Short: "Write completions, man pages and README's table of settings", Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return chatops.Errorf(chatops.CodeUsage, "name the folder to write to")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := generateDocs(cmd.Root())
			if err == nil {
				err = addREADME(args[0], files)
			}
			if err == nil {
				err = writeDocs(args[0], files)
			}
			if err != nil {
				return chatops.Errorf(chatops.CodeInternal, "generate the documents: %w", err)
			}
			env.notef("%d files are fresh in %s", len(files), args[0])
			return nil
		},
	}
}

// completionFiles are the scripts' places by shell.
var completionFiles = map[string]string{
	"bash": "completions/chatops.bash", "zsh": "completions/_chatops",
	"fish": "completions/chatops.fish", "powershell": "completions/chatops.ps1",
}

// generateDocs makes every generated file but README, by path. The bytes depend
// on the commands alone.
func generateDocs(root *cobra.Command) (map[string][]byte, error) {
	files := map[string][]byte{}
	for shell, path := range completionFiles {
		var b bytes.Buffer
		if err := writeCompletion(root, shell, &b); err != nil {
			return nil, err
		}
		files[path] = b.Bytes()
	}
	addManPages(root, files)
	return files, nil
}

// The lines of README between which the table of settings stands.
const (
	tableBegin = "<!-- config:begin -->\n"
	tableEnd   = "<!-- config:end -->"
)

// addREADME renews the table of settings where README has a place for it.
func addREADME(dir string, files map[string][]byte) error {
	raw, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(raw), tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		return nil
	}
	files["README.md"] = []byte(before + tableBegin + config.MarkdownTable() + tableEnd + after)
	return nil
}

func writeDocs(dir string, files map[string][]byte) error {
	for path, raw := range files {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // part of the source tree
			return err
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil { //nolint:gosec // part of the source tree
			return err
		}
	}
	return nil
}
