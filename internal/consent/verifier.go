package consent

import (
	"bytes"
	"slices"

	"chatops/internal/chatops"
)

// span is numbers that are missing so far.
type span struct{ first, last int64 }

// verifier follows the chain row by row.
type verifier struct {
	report Report
	head   *chatops.AuditHead // when reading began
	last   int64              // highest number so far
	// previous is what the next row may be linked to: the last row's hash as it
	// stands, and as it ought to be. One changed row is one finding then, not two.
	previous [2][]byte
	known    bool   // whether previous is known: not behind a gap
	missing  []span // in order
	anchors  map[int64][]Anchor
	newest   int64 // highest number of an anchor
}

func newVerifier(head *chatops.AuditHead, anchors []Anchor) *verifier {
	v := &verifier{head: head, known: true, anchors: map[int64][]Anchor{}}
	v.previous = [2][]byte{Genesis(head.Sealed), Genesis(head.Sealed)}
	v.report.Anchors = len(anchors)
	for _, a := range anchors {
		v.anchors[a.Number] = append(v.anchors[a.Number], a)
		v.newest = max(v.newest, a.Number)
	}
	return v
}

func (v *verifier) find(kind FindingKind, number, last, id int64) {
	v.report.Total++
	if len(v.report.Findings) < maxFindings {
		v.report.Findings = append(v.report.Findings, Finding{kind, number, last, id})
	}
}

// add takes the next row in the order of ids.
func (v *verifier) add(e *chatops.AuditEntry) {
	if e.Number <= 0 {
		if e.Number == 0 && e.ID <= v.head.Sealed {
			v.report.Before++
			return
		}
		v.find(FindingOutside, 0, 0, e.ID)
		return
	}
	v.report.Rows++
	if len(e.Salt) == 0 {
		v.report.Erased++
	}
	switch {
	case e.Number > v.last:
		v.advance(e)
	case v.fill(e.Number):
		if !v.checkData(e) {
			v.find(FindingData, e.Number, e.Number, e.ID)
		}
		v.find(FindingReordered, e.Number, e.Number, e.ID)
	default:
		v.find(FindingInserted, e.Number, e.Number, e.ID)
		return
	}
	v.checkKept(e)
}

// advance takes a row that is the next one, or one behind a gap.
func (v *verifier) advance(e *chatops.AuditEntry) {
	if e.Number > v.last+1 {
		v.missing = append(v.missing, span{v.last + 1, e.Number - 1})
		v.known = false
	}
	dataFits := v.checkData(e)
	linked, ought := !v.known, e.Hash
	if v.known {
		for _, previous := range v.previous {
			if ought = Hash(previous, e); bytes.Equal(ought, e.Hash) {
				linked = true
				break
			}
		}
	}
	switch {
	case !linked && !dataFits:
		v.find(FindingCommitment, e.Number, e.Number, e.ID)
	case !linked:
		v.find(FindingRow, e.Number, e.Number, e.ID)
	case !dataFits:
		v.find(FindingData, e.Number, e.Number, e.ID)
	}
	if !linked {
		ought = Hash(v.previous[0], e)
	}
	v.last, v.known, v.previous = e.Number, true, [2][]byte{e.Hash, ought}
}

// checkData reports whether the personal data fits the commitment. Erased data
// fits; what is left of it is a finding of its own.
func (v *verifier) checkData(e *chatops.AuditEntry) bool {
	if len(e.Salt) > 0 {
		return bytes.Equal(Commitment(e), e.Commitment)
	}
	if e.Email != "" || e.IPAddress != "" || e.UserAgent != "" || e.Reason != "" || e.Notes != "" {
		v.find(FindingErased, e.Number, e.Number, e.ID)
	}
	return true
}

// checkKept compares a row with what was kept of it: the head, the anchors.
func (v *verifier) checkKept(e *chatops.AuditEntry) {
	if e.Number == v.head.Number && !bytes.Equal(e.Hash, v.head.Hash) {
		v.find(FindingHead, e.Number, e.Number, e.ID)
	}
	for _, a := range v.anchors[e.Number] {
		if !bytes.Equal(e.Hash, a.Hash) {
			v.find(FindingAnchor, e.Number, e.Number, e.ID)
			return
		}
	}
}

// fill takes a number out of what is missing, if it is there.
func (v *verifier) fill(number int64) bool {
	i, _ := slices.BinarySearchFunc(v.missing, number, func(s span, n int64) int {
		switch {
		case s.last < n:
			return -1
		case s.first > n:
			return 1
		}
		return 0
	})
	if i == len(v.missing) || number < v.missing[i].first {
		return false
	}
	var rest []span
	if s := v.missing[i]; s.first < number {
		rest = append(rest, span{s.first, number - 1})
	}
	if s := v.missing[i]; s.last > number {
		rest = append(rest, span{number + 1, s.last})
	}
	v.missing = slices.Replace(v.missing, i, i+1, rest...)
	return true
}

// end compares the end of the chain with the head, as it is after reading, and
// with the newest anchor.
func (v *verifier) end(after *chatops.AuditHead) *Report {
	for _, s := range v.missing {
		v.find(FindingDeleted, s.first, s.last, 0)
	}
	due := max(v.head.Number, v.newest)
	switch {
	case v.last < due:
		v.find(FindingTruncated, v.last+1, due, 0)
	case v.last > after.Number:
		v.find(FindingInserted, after.Number+1, v.last, 0)
	}
	emptied := v.head.Number == 0 && !bytes.Equal(v.head.Hash, Genesis(v.head.Sealed))
	if after.Number < v.head.Number || emptied || after.Sealed != v.head.Sealed {
		v.find(FindingHead, after.Number, after.Number, 0)
	}
	v.report.Head = *after
	return &v.report
}
