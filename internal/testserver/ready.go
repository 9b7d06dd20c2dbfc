package testserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// background is the context of calls that must outlive any single test.
var background = context.Background()

const (
	firstPause = 2 * time.Millisecond
	longPause  = 50 * time.Millisecond
)

// Poll calls ready until it returns nil, with pauses that grow from 2 to 50 ms,
// and returns its last error when the time is up. Every call gets a context
// that ends with the whole wait.
func Poll(timeout time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(background, timeout)
	defer cancel()
	for pause := firstPause; ; pause = min(pause*2, longPause) {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("not ready after %v: %w", timeout, err)
		}
	}
}

// AwaitReady polls until the server answers. A server that has exited is
// reported at once, with the end of its log.
func (p *Process) AwaitReady(timeout time.Duration, ready func(context.Context) error) error {
	gone := false
	err := Poll(timeout, func(ctx context.Context) error {
		if gone = !p.Alive(); gone {
			return nil
		}
		return ready(ctx)
	})
	if gone {
		_ = p.Wait(time.Second)
		return fmt.Errorf("%s exited while starting:\n%s", filepath.Base(p.program), LogTail(p.dir))
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, LogTail(p.dir))
	}
	return nil
}

func logPath(dir string) string { return filepath.Join(dir, "server.log") }

// LogTail returns the last lines that the server in dir wrote.
func LogTail(dir string) string {
	text, err := os.ReadFile(logPath(dir))
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	const tail = 4096
	if len(text) > tail {
		text = text[len(text)-tail:]
	}
	return string(text)
}
