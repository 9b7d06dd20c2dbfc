package runbook

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"chatops/internal/chatops"
)

// maxImportLine bounds one line of an import, in bytes.
const maxImportLine = 16 << 20

// alertReader reads what dlq export has written, line by line.
type alertReader struct {
	waiting    chatops.AlertStatus // what alerts become that waited or failed
	incomplete bool                // the last line may be missing
	bad        []string            // the first bad lines, by number and never by content
	badCount   int
}

// importedLine is a line of an export.
type importedLine struct {
	trailer
	ID             int64               `json:"id"`
	EventType      string              `json:"event_type"`
	Target         string              `json:"target"`
	Status         chatops.AlertStatus `json:"status"`
	RetryCount     int                 `json:"retry_count"`
	ErrorMessage   string              `json:"error_message"`
	Fingerprint    string              `json:"fingerprint"`
	CreatedAt      time.Time           `json:"created_at"`
	LastAttemptAt  time.Time           `json:"last_attempt_at"`
	DeliveredAt    time.Time           `json:"delivered_at"`
	IdempotencyKey string              `json:"idempotency_key"`
	Payload        json.RawMessage     `json:"payload"`
}

// each calls take for every alert of a file. It reads to the end in spite of bad
// lines and then fails; take is not called any more after the first.
func (r *alertReader) each(ctx context.Context, file io.Reader, take func(a *chatops.Alert) error) error {
	r.bad, r.badCount = nil, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 1<<16), maxImportLine)
	var read int64
	var end *int64
	number := 0
	for lines.Scan() {
		number++
		if err := ctx.Err(); err != nil {
			return err
		}
		raw := bytes.TrimSpace(lines.Bytes())
		if len(raw) == 0 {
			continue
		}
		a, last, err := r.line(raw)
		switch {
		case err == nil && end != nil:
			err = chatops.Errorf(chatops.CodeInvalid, "stands behind the end of the export")
		case err == nil && last != nil:
			end = last
			continue
		case err == nil:
			read++
		}
		if err != nil {
			r.complain(number, err)
		} else if r.badCount == 0 {
			if err := take(a); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		r.complain(number+1, chatops.Errorf(chatops.CodeInvalid, "has over %d MiB", maxImportLine>>20))
	} else if err != nil {
		return chatops.Errorf(chatops.CodeInternal, "read the export: %w", err)
	}
	return r.verdict(read, end)
}

// verdict judges a file that was read to its end.
func (r *alertReader) verdict(read int64, end *int64) error {
	switch {
	case r.badCount > 0:
		return hint(chatops.Errorf(chatops.CodeUsage, "%s cannot be imported: nothing was stored", chatops.Count(r.badCount, "line")),
			"an import takes what chatops dlq export --payload writes")
	case end == nil && !r.incomplete:
		return hint(chatops.Errorf(chatops.CodeUsage, "the export was cut short after %s: its last line is missing, nothing was stored", chatops.Count(read, "alert")),
			"export again, or import what there is with --incomplete")
	case end != nil && *end != read && !r.incomplete:
		return hint(chatops.Errorf(chatops.CodeUsage, "the export has %d alerts and this file %d: nothing was stored", *end, read),
			"export again, or import what there is with --incomplete")
	}
	return nil
}

func (r *alertReader) complain(number int, err error) {
	r.badCount++
	if len(r.bad) < maxBadTold {
		r.bad = append(r.bad, fmt.Sprintf("line %d: %s", number, chatops.ErrorMessage(err)))
	}
}

// line reads one line: an alert, or the number of alerts that ends an export.
func (r *alertReader) line(raw []byte) (*chatops.Alert, *int64, error) {
	var l importedLine
	if err := json.Unmarshal(raw, &l); err != nil {
		if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && typed.Field != "" {
			return nil, nil, chatops.Errorf(chatops.CodeInvalid, "%s has a value of the wrong kind", typed.Field)
		}
		return nil, nil, chatops.Errorf(chatops.CodeInvalid, "is no JSON object of an alert")
	}
	switch {
	case l.Exported != nil:
		return nil, l.Exported, nil
	case len(l.Payload) == 0 || string(l.Payload) == "null":
		return nil, nil, chatops.Errorf(chatops.CodeInvalid, "has no payload; export with --payload")
	}
	a := &chatops.Alert{
		EventType: l.EventType, Target: l.Target, Payload: l.Payload, Status: r.become(l.Status), RetryCount: l.RetryCount,
		ErrorMessage: l.ErrorMessage, Fingerprint: l.Fingerprint, IdempotencyKey: l.IdempotencyKey,
		CreatedAt: l.CreatedAt, LastAttemptAt: l.LastAttemptAt, DeliveredAt: l.DeliveredAt,
	}
	if a.Status == chatops.AlertPending {
		a.RetryCount = 0
	}
	if a.IdempotencyKey == "" {
		a.IdempotencyKey = importKey(&l)
	}
	return a, nil, a.ValidateImport()
}

// become is the status of an imported alert: what is over stays so, the rest
// waits for an operator unless they want it sent.
func (r *alertReader) become(status chatops.AlertStatus) chatops.AlertStatus {
	switch status {
	case chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed:
		return r.waiting
	case chatops.AlertDelivered, chatops.AlertDiscarded, chatops.AlertCancelled:
	}
	return status
}

// importKey is the key of an alert whose older writer gave it none: the same for
// every import of the same row.
func importKey(l *importedLine) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%d\x00%s", l.ID, l.EventType, l.Target, l.CreatedAt.UnixMicro(), l.Payload))
	return "import:" + hex.EncodeToString(sum[:16])
}
