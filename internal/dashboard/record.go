package dashboard

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// A record is a file of JSON lines: a header, and then each answer of a source.
const (
	recordKind   = "chatops dashboard record"
	recordFormat = 1
)

// header is the first line of a record: what it is, and of which place.
type header struct {
	Kind        string    `json:"kind"`
	Format      int       `json:"format"`
	Version     string    `json:"version"` // of the program that recorded
	At          time.Time `json:"at"`
	Environment string    `json:"environment"`
	Host        string    `json:"host"`
	Database    string    `json:"database"`
	Redis       bool      `json:"redis"`
	Refresh     float64   `json:"refresh_seconds"`
	MaxRetries  int       `json:"max_retries"`
}

// entry is an answer of a source, or the error in place of it.
type entry struct {
	At     time.Time `json:"at"`
	Asked  time.Time `json:"asked"`
	Source string    `json:"source"`
	Error  string    `json:"error,omitempty"`
	answer
}

// recorder writes a record. A nil one writes nothing.
type recorder struct {
	opts *Options

	mu  sync.Mutex
	err error // that ended it
}

// newRecorder makes the recorder that the options ask for.
func newRecorder(o *Options) *recorder {
	if o.Record == nil {
		return nil
	}
	return &recorder{opts: o}
}

// begin writes the header.
func (r *recorder) begin() error {
	if r == nil {
		return nil
	}
	o := r.opts
	return r.write(func() any {
		return &header{
			Kind: recordKind, Format: recordFormat, Version: o.Version, At: o.NowFunc().UTC(), Environment: o.Environment, Host: o.Host,
			Database: o.Database, Redis: o.PingRedisFunc != nil, Refresh: o.Refresh.Seconds(), MaxRetries: o.MaxRetries,
		}
	})
}

// add writes an answer. Lists of alerts and single alerts are left out: they hold
// what people wrote, which a record that is handed around must not.
func (r *recorder) add(source string, asked time.Time, a *answer, err error) error {
	if r == nil || a.alerts != nil || a.detail != nil {
		return nil
	}
	return r.write(func() any {
		e := &entry{At: r.opts.NowFunc().UTC(), Asked: asked.UTC(), Source: source}
		if err != nil {
			e.Error = wordError(err)
			return e
		}
		e.answer = *a
		if a.Causes != nil {
			causes := *a.Causes
			causes.Groups = slices.Clone(causes.Groups)
			for i := range causes.Groups {
				causes.Groups[i].Target = chatops.ShownTarget(causes.Groups[i].Target)
			}
			e.Causes = &causes
		}
		return e
	})
}

// write writes one line, at once: what was seen last before a crash is what
// matters. After an error nothing is written any more, so that a record has no
// holes that nobody knows of.
func (r *recorder) write(lineFunc func() any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	raw, err := json.Marshal(lineFunc())
	if err == nil {
		_, err = io.WriteString(r.opts.Record, string(raw)+"\n")
	}
	if err != nil {
		r.err = chatops.Errorf(chatops.CodeInternal, "write the record: %w", err)
	}
	return r.err
}
