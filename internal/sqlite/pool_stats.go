package sqlite

import "chatops/internal/chatops"

// Pools returns how the connections do. There is one that writes, in use while
// a transaction runs; whoever writes meanwhile shares the next one, which is no
// wait for a connection.
func (s *Store) Pools() []chatops.PoolStats {
	p := s.readPool.Stats()
	write := chatops.PoolStats{Name: "write", Max: 1, Open: 1}
	if s.writer.isWriting() {
		write.InUse = 1
	}
	return []chatops.PoolStats{{
		Name: "read", Max: p.MaxOpenConnections, Open: p.OpenConnections, InUse: p.InUse,
		Waits: p.WaitCount, Waited: p.WaitDuration,
	}, write}
}

func (w *groupWriter) isWriting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writing
}
