package dev

import (
	"net"
	"net/http"
	"net/netip"
)

// near refuses other machines, unless they are to see the tools, too. Pages on
// them are kept fresh all the same. direct says that the client is connected
// with us; else it is with the app, which tells who it is.
func (h *hub) near(direct bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := r.Header.Get("X-Forwarded-For")
		if direct {
			client, _, _ = net.SplitHostPort(r.RemoteAddr)
		}
		// A front is who all clients of a node are.
		if h.guarded && (len(h.nodes) > 0 || !thisMachine(client)) {
			http.Error(w, "the tools at /_dev/ are for the machine that devserver runs on; with --dev-tools it shows them to its network", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// thisMachine reports whether an address is one of ours.
func thisMachine(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return true
	}
	ours, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, addr := range ours {
		if prefix, err := netip.ParsePrefix(addr.String()); err == nil && prefix.Addr().Unmap() == ip {
			return true
		}
	}
	return false
}
