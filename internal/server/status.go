package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type serviceStatus struct {
	Status        string         `json:"status" enum:"healthy,unhealthy"`
	Service       string         `json:"service" enum:"chatops"`
	UptimeSeconds int64          `json:"uptime_seconds"`
	Environment   string         `json:"environment" doc:"What the operator calls this environment"`
	Version       string         `json:"version"`
	Database      databaseStatus `json:"database"`
}

type databaseStatus struct {
	Status string `json:"status" enum:"connected,unreachable"`
}

type serviceStatusOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       serviceStatus
}

func (s *Server) addStatus() {
	addOperation(s, healthOperation[serviceStatus](s.api, huma.Operation{
		OperationID: "status", Method: http.MethodGet, Path: "/api/status",
		Summary: "What runs here and since when", Description: "Asks the database at most every half second.",
	}), func(ctx context.Context, _ *struct{}) (*serviceStatusOutput, error) {
		out := &serviceStatusOutput{Status: http.StatusOK, Body: serviceStatus{
			Status: healthy, Service: "chatops", UptimeSeconds: int64(s.opts.Now().Sub(s.started) / time.Second),
			Environment: s.opts.Environment, Version: s.opts.Version.Version, Database: databaseStatus{"connected"},
		}}
		if err := s.pinged.get(ctx); err != nil {
			out.Status, out.RetryAfter = http.StatusServiceUnavailable, retryAfter[0]
			out.Body.Status, out.Body.Database.Status = unhealthy, "unreachable"
		}
		return out, nil
	})
}
