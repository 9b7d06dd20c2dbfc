package postgres

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// copyFrom is the number of alerts from which on COPY is worth its two answers.
const copyFrom = 100

// copyNew takes the times from the table's defaults, or from a test's clock.
const (
	copyNew       = `copy dead_letter_queue (event_type, target, payload, status, idempotency_key) from stdin`
	copyNewAtTime = `copy dead_letter_queue (event_type, target, payload, status, idempotency_key, created_at, next_attempt_at) from stdin`
)

// copyable reports whether COPY can store these alerts: it knows no conflicts,
// and no times but one. Keys are sorted.
func (c *alertColumns) copyable() bool {
	if len(c.key) < copyFrom {
		return false
	}
	for i, key := range c.key {
		if c.delay[i] != 0 || key != "" && i > 0 && key == c.key[i-1] {
			return false
		}
	}
	return true
}

// copyAlerts stores alerts in a transaction of their own. It reports false when
// one of them is stored already, and nothing was stored then.
func (s *Store) copyAlerts(ctx context.Context, c *alertColumns) (bool, error) {
	now := s.now()
	statement := copyNew
	if now != nil {
		statement = copyNewAtTime
	}
	known := false
	err := s.do(ctx, func(ctx context.Context) error {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		_, err = conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(c.copyText(now)), statement)
		var pg *pgconn.PgError
		if known = errors.As(err, &pg) && pg.Code == uniqueViolation; known {
			return nil
		}
		return err
	})
	return !known, err
}

// copyEscape writes what the text format of COPY reserves.
var copyEscape = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// copyText renders alerts in the text format of COPY.
func (c *alertColumns) copyText(now *time.Time) []byte {
	var b bytes.Buffer
	end := "\n"
	if now != nil {
		at := now.Format(time.RFC3339Nano)
		end = "\t" + at + "\t" + at + "\n"
	}
	for i, key := range c.key {
		for _, column := range []string{c.eventType[i], c.target[i], c.payload[i]} {
			_, _ = copyEscape.WriteString(&b, column)
			b.WriteByte('\t')
		}
		b.WriteString("queued\t")
		if key == "" {
			b.WriteString(`\N`)
		} else {
			_, _ = copyEscape.WriteString(&b, key)
		}
		b.WriteString(end)
	}
	return b.Bytes()
}
