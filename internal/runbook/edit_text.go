package runbook

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"chatops/internal/chatops"
)

// editor lets the operator change a text in their editor. The file is their own
// (0600), and gone afterwards.
func (e *Env) editor(ctx context.Context, text string) ([]byte, error) {
	words := strings.Fields(e.getenv("VISUAL"))
	if len(words) == 0 {
		words = strings.Fields(e.getenv("EDITOR"))
	}
	if len(words) == 0 {
		words = []string{"vi"}
	}
	dir, err := os.MkdirTemp("", "chatops-edit-*") // mode 0700, for the copies that editors keep beside it
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeInternal, "make a file for the editor: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := dir + "/payload.json"
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return nil, chatops.Errorf(chatops.CodeInternal, "make a file for the editor: %w", err)
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], path)...) //nolint:gosec // it is the operator's own choice
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.In, e.Err, e.Err
	if err := cmd.Run(); err != nil {
		return nil, hint(chatops.Errorf(chatops.CodeInternal, "editor %s: %w", words[0], err), "nothing was changed; EDITOR chooses another one, --set and --payload need none")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeInternal, "read what was edited: %w", err)
	}
	return raw, nil
}

// showDiff shows the difference of two payloads to whoever sits at the terminal.
// It holds personal data, so a log does not get it.
func (e *Env) showDiff(diff []string) {
	if !e.ErrTTY {
		e.notef("note: the payloads differ; the difference is shown on a terminal only")
		return
	}
	for _, line := range diff {
		line = chatops.Harmless(line)
		if e.colored(e.ErrTTY) {
			line = colorize(line, map[byte]string{'-': "red", '+': "green"}[line[0]])
		}
		e.sayf("%s\n", line)
	}
}

// diffLines are the lines that were removed ("- ...") and added ("+ ..."), in
// their order: what is left of both texts beside a longest common subsequence.
func diffLines(was, is string) []string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	if len(a)*len(b) > 1<<22 { // no payload is so long; all of it is shown then
		a, b = []string{was}, []string{is}
	}
	common := make([][]int, len(a)+1)
	common[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		common[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var diff []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			diff = append(diff, "- "+a[i])
			i++
		default:
			diff = append(diff, "+ "+b[j])
			j++
		}
	}
	return diff
}
