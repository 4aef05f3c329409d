package app

import (
	"crypto/tls"
	"fmt"
)

// ListenTLS is [App.Listen] by HTTPS, with HTTP/2 for clients that speak it: https.createServer(options, app).listen()
// of Node. The files are PEM, as for http.ListenAndServeTLS: the certificate and behind it those of its issuers, and its
// key. An empty addr is the port of the environment variable PORT, or ":8443". They are read once; a certificate that
// is renewed while the process runs needs a tls.Config with GetCertificate, and [App.Serve] on its tls.NewListener.
//
// In development it is Listen, by HTTP: devserver, which owns the listener there, speaks no TLS.
func (a *App) ListenTLS(addr, certFile, keyFile string) error {
	if asked, err := a.list(); asked {
		return err
	}
	if a.options.development {
		return a.Listen(addr)
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("app: listen: the certificate: %w", err)
	}
	return a.listen(addr, "8443", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}})
}
