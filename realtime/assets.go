package realtime

import "net/http"

func (s *Server) serveClient(w http.ResponseWriter, r *http.Request) bool { return false }
