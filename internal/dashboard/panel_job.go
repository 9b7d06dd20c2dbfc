package dashboard

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// drawJobs shows when jobs ran and what came of it, those in trouble first.
func drawJobs(l *look) content {
	list := l.picture.jobs
	if list == nil {
		return unknown()
	}
	var replicas []chatops.Instance
	if l.picture.fleet != nil {
		replicas = l.picture.fleet.Replicas
	}
	now := moment(list.Now, l.heardAt, l.now)
	var bad, good [][]piece
	var badItems, goodItems []item
	trouble := ""
	for _, name := range list.JobNames(replicas) {
		j := list.FleetJob(name, replicas)
		r, it := jobRow(&j, now), item{itemJob, name}
		if jobTone(&j) == toneGood || j.State == chatops.JobUnknown {
			good, goodItems = append(good, r), append(goodItems, it)
			continue
		}
		bad, badItems = append(bad, r), append(badItems, it)
		trouble = words(trouble, name+" "+jobWord(&j))
	}
	c := content{summary: text(toneWarn, trouble)}
	switch {
	case len(bad)+len(good) == 0:
		c.summary = text(toneWarn, "none known: has chatops serve run yet?")
	case trouble == "":
		c.summary = text(toneGood, fmt.Sprintf("as they should be: all %d", len(good)))
	}
	head := []piece{{"job", toneDim}, {"state", toneDim}, {"ran", toneDim}, {"next", toneDim}, {"result", toneDim}}
	rows := append(append([][]piece{head}, bad...), good...)
	items := append(append([]item{{}}, badItems...), goodItems...)
	c.rows = rowsOf(table([]column{{}, {}, {right: true}, {right: true}, {flex: true}}, rows, l.width), items)
	return c
}

func jobRow(j *chatops.FleetJob, now time.Time) []piece {
	ran := since(j.LastRun, now)
	if ran != "-" {
		ran += " ago"
	}
	return []piece{{j.Name, toneNone}, {jobWord(j), jobTone(j)}, {ran, toneNone}, {until(j.NextRun, now), toneNone}, {j.LastResult, toneNone}}
}

// jobWord is a job's state, or failed where it rests after a run that did not end
// well.
func jobWord(j *chatops.FleetJob) string {
	if j.State == chatops.JobIdle && j.Failed() {
		return "failed"
	}
	return j.State
}

func jobTone(j *chatops.FleetJob) tone {
	switch jobWord(j) {
	case chatops.JobIdle, chatops.JobRunning, chatops.JobRequested:
		return toneGood
	case chatops.JobPaused, chatops.JobUnknown:
		return toneWarn
	}
	return toneBad
}
