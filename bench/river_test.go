package bench

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverArgs is a job of about the size of a lead alert.
type riverArgs struct {
	Text string `json:"text"`
}

func (riverArgs) Kind() string { return "alert" }

type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	left atomic.Int64
	done chan struct{}
}

func (w *riverWorker) Work(context.Context, *river.Job[riverArgs]) error {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
	return nil
}

func riverMigrate(b *testing.B, pool *pgxpool.Pool) {
	b.Helper()
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Migrate(context.Background(), rivermigrate.DirectionUp, nil); err != nil {
		b.Fatal(err)
	}
}

func riverClient(b *testing.B, pool *pgxpool.Pool, w *riverWorker) *river.Client[pgx.Tx] {
	b.Helper()
	cfg := &river.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if w != nil {
		workers := river.NewWorkers()
		river.AddWorker(workers, w)
		cfg.Workers = workers
		// River's own benchmark uses these values.
		cfg.FetchCooldown = 2 * time.Millisecond
		cfg.FetchPollInterval = 20 * time.Millisecond
		cfg.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: river.QueueNumWorkersMax}}
	}
	c, err := river.NewClient(riverpgxv5.New(pool), cfg)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func riverFill(b *testing.B, pool *pgxpool.Pool, rows int) {
	b.Helper()
	c := riverClient(b, pool, nil)
	args := riverArgs{Text: payloadText}
	for done := 0; done < rows; {
		n := min(5000, rows-done)
		params := make([]river.InsertManyParams, n)
		for i := range params {
			params[i].Args = args
		}
		if _, err := c.InsertManyFast(context.Background(), params); err != nil {
			b.Fatal(err)
		}
		done += n
	}
}

// riverDrain works rows waiting jobs with a worker that does nothing.
func riverDrain(b *testing.B, pool *pgxpool.Pool, rows int) {
	b.Helper()
	w := &riverWorker{done: make(chan struct{})}
	w.left.Store(int64(rows))
	c := riverClient(b, pool, w)
	ctx := context.Background()
	if err := c.Start(ctx); err != nil {
		b.Fatal(err)
	}
	<-w.done
	if err := c.Stop(ctx); err != nil { // completes what is buffered
		b.Fatal(err)
	}
}

// payloadText makes a payload of about 400 bytes.
var payloadText = strings.Repeat("Nowy lead: Anna Smith, 85 m2, Comfort. ", 10)
