package runbook

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"chatops/internal/chatops"
)

// exportedAlert is an alert as a line of an export.
type exportedAlert struct {
	alertItem
	IdempotencyKey string   `json:"idempotency_key"`
	Payload        document `json:"payload,omitempty"` // left out without --payload
}

// trailer is the last line of an export with payloads.
type trailer struct {
	Exported *int64 `json:"exported"`
}

// exportWriter writes alerts one by one.
type exportWriter struct {
	buffered   *bufio.Writer
	csv        *csv.Writer // nil: JSON lines
	payload    bool
	maxRetries int
	err        error // of the header
}

// newExportWriter begins an export.
func newExportWriter(w io.Writer, asCSV, payload, headers bool, maxRetries int) *exportWriter {
	x := &exportWriter{buffered: bufio.NewWriterSize(w, 1<<16), payload: payload, maxRetries: maxRetries}
	if !asCSV {
		return x
	}
	x.csv = csv.NewWriter(x.buffered)
	if headers {
		names := []string{
			"id", "event_type", "target", "status", "retry_count", "error_message", "fingerprint", "created_at", "last_attempt_at",
			"next_attempt_at", "delivered_at", "idempotency_key",
		}
		if payload {
			names = append(names, "payload")
		}
		x.err = x.csv.Write(names)
	}
	return x
}

// write writes one alert. Its target is shown as in lists, unless the export is
// to be imported again.
func (x *exportWriter) write(a *chatops.Alert) error {
	line := exportedAlert{alertItem: viewAlert(a, x.maxRetries), IdempotencyKey: a.IdempotencyKey}
	if x.payload {
		line.Payload, line.Target = document(a.Payload), a.Target
	}
	if x.csv == nil {
		raw, err := encodeJSON(&line, "")
		if err == nil {
			_, err = x.buffered.Write(raw)
		}
		return err
	}
	cells := []string{
		strconv.FormatInt(line.ID, 10), line.EventType, line.Target, string(line.Status), strconv.Itoa(line.RetryCount), line.ErrorMessage,
		line.Fingerprint, line.CreatedAt.String(), line.LastAttemptAt.String(), line.NextAttemptAt.String(), line.DeliveredAt.String(), line.IdempotencyKey,
	}
	if x.payload {
		cells = append(cells, string(line.Payload))
	}
	for i := range cells {
		cells[i] = csvCell(cells[i])
	}
	return errors.Join(x.err, x.csv.Write(cells))
}

// flush hands on what was written.
func (x *exportWriter) flush() error {
	if x.csv != nil {
		x.csv.Flush()
		if err := errors.Join(x.err, x.csv.Error()); err != nil {
			return err
		}
	}
	return x.buffered.Flush()
}

// end ends an export of n alerts.
func (x *exportWriter) end(n int64) error {
	if x.csv == nil && x.payload {
		raw, err := json.Marshal(trailer{&n})
		if err != nil {
			return fmt.Errorf("encode the last line: %w", err)
		}
		if _, err := x.buffered.Write(append(raw, '\n')); err != nil {
			return err
		}
	}
	return x.flush()
}

// checkAbsent refuses a file that exists.
func checkAbsent(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return chatops.Errorf(chatops.CodeUsage, "--output-file %s: the file exists; nothing was written", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil { // before anything goes on record
		return unmade(path, err)
	}
	return nil
}

// unmade words why a file cannot be made. The system's error names the file that is
// written until the whole is there, which nobody has asked for.
func unmade(path string, err error) error {
	if broken, ok := errors.AsType[*fs.PathError](err); ok {
		err = broken.Err
	}
	if broken, ok := errors.AsType[*os.LinkError](err); ok {
		err = broken.Err
	}
	folder := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint(chatops.Errorf(chatops.CodeUsage, "--output-file %s: there is no folder %s", path, folder), "make it, or name a file in one that exists")
	case errors.Is(err, fs.ErrPermission):
		return hint(chatops.Errorf(chatops.CodeUsage, "--output-file %s: you may not write into the folder %s", path, folder), "name a file in another one")
	}
	return chatops.Errorf(chatops.CodeUsage, "--output-file %s: %w", path, err)
}

// writeAtomically makes a file that only its owner may read, and that appears
// under its name when it is whole. A file that has come to be there meanwhile is
// not overwritten.
func writeAtomically(path string, write func(w io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return unmade(path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	err = write(f)
	if err == nil {
		err = unwritten(f.Sync())
	}
	if err = errors.Join(err, unwritten(f.Close())); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return checkAbsent(path)
		}
		if err := os.Rename(f.Name(), path); err != nil { // a file system without links
			return unmade(path, err)
		}
	}
	return nil
}
