package dev

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// retry is how long to wait after an answer that came from the process before.
const retry = 5 * time.Millisecond

// answers waits until the process answers on the public address, and reports
// false if ctx, which ends with the process, ends before. The question is one
// that the app proxies to the control server of its own build, so the answer
// says whose it is; from an app that does not proxy any answer counts, once the
// process before is gone.
func (p *process) answers(ctx context.Context, addr net.Addr, gone <-chan struct{}) bool {
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	url := "http://" + dialable(addr) + "/_dev/alive"
	for {
		alone := false
		select {
		case <-gone:
			alone = true
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		if res, err := client.Do(req); err == nil {
			res.Body.Close()
			switch res.Header.Get(buildHeader) {
			case p.name:
				return true
			case "":
				if alone {
					return true
				}
				select {
				case <-gone:
					continue
				case <-ctx.Done():
					return false
				}
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(retry):
		}
	}
}

// dialable is the address under which this machine reaches a listener that may
// listen everywhere.
func dialable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
}
