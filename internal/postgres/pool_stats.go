package postgres

import "chatops/internal/chatops"

// Pools returns how the connections do. The one that Watch listens on is not in
// the pool.
func (s *Store) Pools() []chatops.PoolStats {
	p := s.pool.Stat()
	return []chatops.PoolStats{{
		Name: "main", Max: int(p.MaxConns()), Open: int(p.TotalConns()), InUse: int(p.AcquiredConns()),
		Waits: p.EmptyAcquireCount(), Waited: p.EmptyAcquireWaitTime(),
	}}
}
