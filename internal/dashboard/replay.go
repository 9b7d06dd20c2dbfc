package dashboard

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Record is what a dashboard has seen, to be seen again.
type Record struct {
	header

	events []event
	until  time.Time
	// Cut: the last line is not whole, because the program was killed or the
	// disk was full.
	Cut bool
}

// event is a question to a source, or its answer, in the order of time.
type event struct {
	at    time.Time
	entry *entry
	ask   bool
}

// ReadRecord reads a record. CodeInvalid for what is none, for one that a newer
// program made, and for one that is damaged before its last line.
func ReadRecord(r io.Reader) (*Record, error) {
	lines := bufio.NewReader(r)
	record := &Record{}
	first, whole, err := nextLine(lines)
	if err != nil {
		return nil, err
	}
	if err := record.readHeader(first); err != nil {
		return nil, err
	}
	if !whole {
		return nil, chatops.Errorf(chatops.CodeInvalid, "the record ends in its first line: nothing was recorded")
	}
	record.until = record.At
	for n := 2; ; n++ {
		raw, whole, err := nextLine(lines)
		if err != nil {
			return nil, err
		}
		if len(raw) == 0 && !whole {
			break
		}
		err = record.readEntry(raw)
		switch {
		case err == nil:
		case !whole || last(lines): // the end was lost
			record.Cut = true
		default:
			return nil, chatops.Errorf(chatops.CodeInvalid, "line %d is damaged: %s", n, err.Error())
		}
	}
	slices.SortStableFunc(record.events, func(a, b event) int { return a.at.Compare(b.at) })
	return record, nil
}

// nextLine reads a line without its end. A line is not whole where the file ends
// before the line does.
func nextLine(r *bufio.Reader) (raw []byte, whole bool, err error) {
	raw, err = r.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, chatops.Errorf(chatops.CodeInvalid, "%w", err)
	}
	return bytes.TrimSuffix(raw, []byte{'\n'}), err == nil, nil
}

// last reports that there is nothing more to read.
func last(r *bufio.Reader) bool {
	_, err := r.Peek(1)
	return err != nil
}

func (r *Record) readHeader(raw []byte) error {
	err := json.Unmarshal(raw, &r.header)
	switch {
	case r.Kind != recordKind:
		return chatops.Errorf(chatops.CodeInvalid, "this is no record of a dashboard: make one with chatops dashboard --record FILE")
	case r.Format > recordFormat:
		return chatops.Errorf(chatops.CodeInvalid, "the record has format %d, and this program reads formats up to %d: replay it with chatops %s or newer",
			r.Format, recordFormat, chatops.Harmless(r.Version))
	case err != nil || r.Format < 1 || r.At.IsZero() || r.Refresh <= 0:
		return chatops.Errorf(chatops.CodeInvalid, "line 1 is damaged: it does not say what was recorded")
	}
	return nil
}

// readEntry takes a line in. Sources that this program does not know are left out.
func (r *Record) readEntry(raw []byte) error {
	e := &entry{}
	if err := json.Unmarshal(raw, e); err != nil {
		return errors.New("it is no JSON of a record")
	}
	told, known := map[string]bool{
		"queue": e.Queue != nil, "causes": e.Causes != nil, "fleet": e.Fleet != nil && e.Fleet.Controls != nil, "jobs": e.Jobs != nil, "redis": true,
	}[e.Source]
	switch {
	case e.At.IsZero() || e.Source == "":
		return errors.New("it does not say when it was, or of which source")
	case !known:
		return nil
	case e.Error == "" && !told:
		return errors.New("it has neither an answer of " + chatops.Harmless(e.Source) + " nor an error")
	}
	e.Error = chatops.Harmless(e.Error)
	if e.At.Before(r.until) { // the clock was set back
		e.At = r.until
	}
	if e.Asked.IsZero() || e.Asked.After(e.At) {
		e.Asked = e.At
	}
	r.until = e.At
	r.events = append(r.events, event{at: e.Asked, entry: e, ask: true}, event{at: e.At, entry: e})
	return nil
}

// From and Until are when the record begins and ends.
func (r *Record) From() time.Time { return r.At }

// Until is when the record ends.
func (r *Record) Until() time.Time { return r.until }

// Moment reads a moment of the record: an RFC 3339 time, a time of day in UTC, or
// how long after the record's beginning. CodeUsage for anything else, and for what
// lies outside of the record.
func (r *Record) Moment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = r.timeOfDay(text)
	}
	if err != nil {
		var after time.Duration
		after, err = time.ParseDuration(text)
		at = r.At.Add(after)
	}
	if err != nil {
		return time.Time{}, chatops.Errorf(chatops.CodeUsage, "%q: must be an RFC 3339 time, a time of day in UTC (12:30 or 12:30:05) or a duration from the beginning (90s)", text)
	}
	if at.Before(r.At.Truncate(time.Second)) || at.After(r.until.Add(time.Second)) {
		return time.Time{}, chatops.Errorf(chatops.CodeUsage, "%q: the record is from %s to %s", text, r.At.UTC().Format(time.RFC3339), r.until.UTC().Format(time.RFC3339))
	}
	return at.UTC(), nil
}

// timeOfDay is the first such time that is not before the record.
func (r *Record) timeOfDay(text string) (time.Time, error) {
	clock, err := time.Parse(time.TimeOnly, text)
	if err != nil {
		clock, err = time.Parse("15:04", text)
	}
	day := r.At.UTC().Truncate(24 * time.Hour)
	at := day.Add(clock.Sub(clock.Truncate(24 * time.Hour)))
	if at.Before(r.At.Truncate(time.Second)) {
		at = at.Add(24 * time.Hour)
	}
	return at, err
}

// Replay lets a dashboard show a record instead of what is now: its place, its
// refresh and, from a moment on, its time.
func (o *Options) Replay(r *Record, at time.Time) {
	o.replay, o.startAt = r, at
	o.Environment, o.Host, o.Database = chatops.Harmless(r.Environment), chatops.Harmless(r.Host), chatops.Harmless(r.Database)
	o.MaxRetries, o.Refresh, o.Write = r.MaxRetries, time.Duration(r.Refresh*float64(time.Second)), false
	o.PingRedisFunc = nil
	if r.Redis { // there is such a source; nobody asks it
		o.PingRedisFunc = func(context.Context) error { return nil }
	}
}
