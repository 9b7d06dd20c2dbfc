package e2e

import (
	"context"
	"strings"
	"sync"
	"time"
)

// output collects what a process writes, and lets a test wait for a text.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	close(o.changed)
	o.changed = make(chan struct{})
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) look() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// await returns the first line that holds text, or "" when none came in time or
// done was closed before.
func (o *output) await(text string, timeout time.Duration, done <-chan struct{}) string {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ended := false
	for {
		have, changed := o.look()
		for line := range strings.Lines(have) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return strings.TrimSuffix(line, "\n")
			}
		}
		if ended {
			return ""
		}
		select {
		case <-changed:
		case <-done:
			ended = true // look once more: the last line may have come with the end
		case <-ctx.Done():
			return ""
		}
	}
}
