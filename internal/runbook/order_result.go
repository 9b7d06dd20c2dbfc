package runbook

import (
	"fmt"
	"slices"
)

// orderResult is the outcome of orders.
type orderResult struct {
	Orders   []orderView `json:"orders"`
	Replicas int         `json:"replicas"` // that report
	Obeyed   int         `json:"obeyed"`
	Waiting  []string    `json:"waiting"` // replicas that have not obeyed
	DryRun   bool        `json:"dry_run"`
}

type orderView struct {
	Name     string    `json:"name"`
	Mode     string    `json:"mode"`
	Value    string    `json:"value,omitempty"`
	Until    timestamp `json:"until"`
	Revision *int64    `json:"revision"` // null in a dry run
}

func (r *orderResult) sections(bool) []section {
	s := section{columns: []column{{name: "name", whole: true}, {name: "order"}, {name: "until"}, {name: "obeyed_by"}}}
	obeyed := fmt.Sprintf("%d of %d", r.Obeyed, r.Replicas)
	if r.DryRun {
		obeyed = "dry run"
	}
	valued := slices.ContainsFunc(r.Orders, func(o orderView) bool { return o.Value != "" })
	if valued {
		s.columns = append(s.columns, column{name: "value", whole: true})
	}
	for _, o := range r.Orders {
		row := []string{o.Name, o.Mode, o.Until.short(), obeyed}
		if valued {
			row = append(row, o.Value)
		}
		s.rows = append(s.rows, row)
	}
	return []section{s}
}
