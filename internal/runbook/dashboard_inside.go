package runbook

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// runInside carries out another command as if it had been typed with the same
// profile and settings, without a terminal.
func (e *Env) runInside(ctx context.Context, args []string, tell func(line string)) (code int, out []byte, said string) {
	inner := *e
	var output bytes.Buffer
	messages := &lineWriter{tellFunc: tell}
	inner.In, inner.Out, inner.Err = strings.NewReader(""), &output, messages
	inner.watched = true
	inner.InTTY, inner.OutTTY, inner.ErrTTY = false, false, false
	code = Run(ctx, &inner, slices.Concat(args, e.surroundings()))
	return code, output.Bytes(), messages.last()
}

// surroundings are the flags that say where a command works.
func (e *Env) surroundings() []string {
	var args []string
	if e.opts.profile != "" {
		args = append(args, "--profile="+e.opts.profile)
	}
	if e.opts.configPath != "" {
		args = append(args, "--config="+e.opts.configPath)
	}
	for _, name := range slices.Sorted(maps.Keys(e.flags)) {
		args = append(args, "--"+name+"="+e.flags[name])
	}
	return args
}

// lineWriter hands on what is written, line by line.
type lineWriter struct {
	tellFunc func(line string)

	mu    sync.Mutex
	rest  string
	lines []string
}

// Write takes text in.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(b)
	for {
		line, rest, whole := strings.Cut(w.rest, "\n")
		if !whole {
			return len(b), nil
		}
		w.rest = rest
		w.lines = append(w.lines, line)
		w.tellFunc(line)
	}
}

// last is the error that was said and all that follows it, or the last line.
func (w *lineWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines
	if w.rest != "" {
		lines = append(lines, w.rest)
	}
	for i, line := range slices.Backward(lines) {
		if text, is := strings.CutPrefix(line, "chatops: "); is {
			return strings.Join(append([]string{text}, lines[i+1:]...), "; ")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}
