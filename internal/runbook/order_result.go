package runbook

import (
	"fmt"
	"slices"
	"strings"
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
	list := section{columns: []column{{name: "name", whole: true}, {name: "order"}, {name: "until"}, {name: "value", whole: true}}}
	valued := slices.ContainsFunc(r.Orders, func(o orderView) bool { return o.Value != "" })
	for _, o := range r.Orders {
		row := []string{o.Name, o.Mode, o.Until.short(), o.Value}
		if !valued {
			row = row[:3]
		}
		list.rows = append(list.rows, row)
	}
	if !valued {
		list.columns = list.columns[:3]
	}
	pairs := []string{"replicas", fmt.Sprint(r.Replicas), "obeyed", fmt.Sprint(r.Obeyed)}
	if len(r.Waiting) > 0 {
		pairs = append(pairs, "waiting", strings.Join(r.Waiting, ", "))
	}
	return []section{list, fields(append(pairs, "dry_run", fmt.Sprint(r.DryRun))...)}
}
