package runbook

import (
	"bytes"
	"context"
	"time"

	"chatops/internal/chatops"
)

// watchEvery is the pause between two looks of --watch.
const watchEvery = 2 * time.Second

// Sequences of a terminal: to the first line, to the end of a line, and of the
// screen.
const (
	toTop      = "\x1b[H"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
)

// watch shows a result again and again until the context, the reader or what is
// watched ends. On
// a terminal each one is drawn over the last, elsewhere they follow each other.
// When the database is away for a while, it says so and goes on.
func (e *Env) watch(ctx context.Context, lookFunc func(context.Context) (result, error)) error {
	redraw := e.redraws()
	if redraw {
		e.Out.Write([]byte(toTop + clearBelow)) //nolint:errcheck // the next write tells
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for shown := 0; ; {
		res, err := lookFunc(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			if err := e.show(res, redraw, shown == 0); err != nil {
				return err
			}
			shown++
			if w, ok := res.(interface{ ended() bool }); ok && w.ended() {
				return nil // nothing new will come
			}
		case shown == 0 || chatops.ErrorCode(err) != chatops.CodeUnavailable:
			return err
		default:
			e.notef("%s; looking again", chatops.ErrorMessage(err))
		}
		select {
		case <-ctx.Done():
			return &quiet{chatops.Errorf(chatops.CodeInterrupted, "interrupted")}
		case <-tick.C:
		}
	}
}

// redraws reports that a table can be drawn over the last one.
func (e *Env) redraws() bool {
	return e.OutTTY && e.getenv("TERM") != "dumb" && (e.format() == "table" || e.format() == "wide")
}

// show prints one look.
func (e *Env) show(res result, redraw, first bool) error {
	raw, err := e.encode(res)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	switch format := e.format(); {
	case redraw:
		now := e.NowFunc().UTC().Format(time.TimeOnly)
		b.WriteString(toTop + now + " UTC, every " + chatops.Span(watchEvery) + "; Ctrl-C ends" + clearLine + "\n" + clearLine + "\n")
		b.Write(bytes.ReplaceAll(raw, []byte("\n"), []byte(clearLine+"\n")))
		b.WriteString(clearBelow)
	case first || format == "json" || format == "jsonl":
		b.Write(raw)
	case format == "yaml":
		b.WriteString("---\n")
		b.Write(raw)
	default:
		b.WriteByte('\n')
		b.Write(raw)
	}
	_, err = e.Out.Write(b.Bytes())
	return unwritten(err)
}
