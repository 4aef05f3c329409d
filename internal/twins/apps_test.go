package twins

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/alexedwards/scs/v2"

	"github.com/zocalo-go/zocalo/app"
)

// apps are the applications by name, each a twin of the one in node/apps.mjs. dir has the files they serve.
func apps() map[string]func(server *app.App, dir string) {
	return map[string]func(*app.App, string){
		"hello": hello, "crud": crud, "nested": nested, "errors": failing, "forms": forms, "sessions": sessions,
		"uploads": uploads, "cookies": cookies, "negotiation": negotiation, "site": site, "downloads": downloads,
		"search": search, "loader": loader, "order": order, "views": views, "conditional": conditional, "proxied": proxied,
		"webhook": webhook, "guarded": guarded, "shortener": shortener,
	}
}

func hello(server *app.App, _ string) {
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("Hello, World!") })
	server.Get("/hello/:name", func(req *app.Request, res *app.Response) error { return res.Send("Hello, " + req.Param("name") + "!") })
	server.Get("/flights/:from-:to", func(req *app.Request, res *app.Response) error { return res.JSON(req.Params()) })
	server.Get("/files/*path", func(req *app.Request, res *app.Response) error { return res.JSON(req.Segments("path")) })
	server.Get("/posts{/:page}", func(req *app.Request, res *app.Response) error {
		page := req.Param("page")
		if page == "" {
			page = "one"
		}
		return res.Send("page " + page)
	})
}

type book struct {
	ID    string `json:"id,omitempty"`
	Title string `json:"title"`
}

func crud(server *app.App, _ string) {
	var mu sync.Mutex
	books := map[string]*book{}
	last := 0
	list := func() []*book {
		all := []*book{}
		for i := 1; i <= last; i++ {
			if b := books[strconv.Itoa(i)]; b != nil {
				all = append(all, b)
			}
		}
		return all
	}
	server.Use(app.JSON(), func(req *app.Request, res *app.Response) error {
		mu.Lock()
		defer mu.Unlock()
		return req.Next()
	})
	server.Get("/books", func(req *app.Request, res *app.Response) error { return res.JSON(list()) })
	server.Post("/books", func(req *app.Request, res *app.Response) error {
		var b book
		if err := req.Bind(&b); err != nil || b.Title == "" {
			return res.Status(422).JSON(app.Map{"error": "title is required"})
		}
		last++
		b.ID = strconv.Itoa(last)
		books[b.ID] = &b
		return res.Status(201).Location("/books/" + b.ID).JSON(b)
	})
	server.Route("/books/:id").All(func(req *app.Request, res *app.Response) error {
		if books[req.Param("id")] == nil {
			return res.Status(404).JSON(app.Map{"error": "no such book"})
		}
		return req.Next()
	}).Get(func(req *app.Request, res *app.Response) error {
		return res.JSON(books[req.Param("id")])
	}).Put(func(req *app.Request, res *app.Response) error {
		var b book
		if err := req.Bind(&b); err != nil {
			return err
		}
		books[req.Param("id")].Title = b.Title
		return res.JSON(books[req.Param("id")])
	}).Delete(func(req *app.Request, res *app.Response) error {
		delete(books, req.Param("id"))
		return res.SendStatus(204)
	})
}

func nested(server *app.App, _ string) {
	players := app.NewRouter(app.RouterConfig{MergeParams: true})
	players.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("players of " + req.Param("team")) })
	players.Get("/:player", func(req *app.Request, res *app.Response) error {
		var o app.Object
		for _, pair := range [][2]string{{"team", req.Param("team")}, {"player", req.Param("player")}, {"baseUrl", req.BaseURL()}, {"path", req.Path()}, {"url", req.OriginalURL()}} {
			o.Set(pair[0], pair[1])
		}
		return res.JSON(&o)
	})
	teams := app.NewRouter()
	teams.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("teams") })
	teams.Use("/:team/players", players)
	server.Use("/teams", teams)
}

func failing(server *app.App, _ string) {
	server.Get("/throws", func(*app.Request, *app.Response) error { panic("boom") })
	server.Get("/rejects", func(*app.Request, *app.Response) error { return app.Errorf(410, "gone") })
	server.Get("/next", func(*app.Request, *app.Response) error { return app.Errorf(418, "teapot") })
	server.Get("/page", func(*app.Request, *app.Response) error { return app.Errorf(503, "secret") })
	server.Get("/skips", func(*app.Request, *app.Response) error { return app.NextRoute })
	server.Get("/skips", func(req *app.Request, res *app.Response) error { return res.Send("the second") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		if req.Path() == "/page" {
			return err
		}
		return res.Status(app.StatusOf(err)).JSON(app.Map{"error": err.Error()})
	})
}

func forms(server *app.App, _ string) {
	var mu sync.Mutex
	var notes []string
	server.Use(app.URLEncoded(app.BodyOptions{Extended: true}))
	server.Get("/", func(req *app.Request, res *app.Response) error {
		mu.Lock()
		defer mu.Unlock()
		items := ""
		for _, n := range notes {
			items += "<li>" + n + "</li>"
		}
		return res.Send("<ul>" + items + "</ul>")
	})
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var form struct{ Note struct{ Text string } }
		if err := req.Bind(&form); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, form.Note.Text)
		return res.Status(303).Redirect("/")
	})
	server.Post("/echo", func(req *app.Request, res *app.Response) error {
		v, _ := req.BodyValue()
		return res.JSON(v)
	})
}

func sessions(server *app.App, _ string) {
	s := scs.New()
	server.UseHTTP(s.LoadAndSave)
	server.Use(app.JSON())
	server.Post("/login", func(req *app.Request, res *app.Response) error {
		var login struct{ User string }
		if err := errors.Join(req.Bind(&login), s.RenewToken(req.Context())); err != nil {
			return err
		}
		s.Put(req.Context(), "user", login.User)
		return res.JSON(app.Map{"ok": true})
	})
	server.Use(func(req *app.Request, res *app.Response) error {
		if s.GetString(req.Context(), "user") == "" {
			return res.Status(401).Send("log in first")
		}
		return req.Next()
	})
	server.Get("/me", func(req *app.Request, res *app.Response) error { return res.Send(s.GetString(req.Context(), "user")) })
	server.Get("/count", func(req *app.Request, res *app.Response) error {
		n := s.GetInt(req.Context(), "n") + 1
		s.Put(req.Context(), "n", n)
		return res.JSON(n)
	})
	server.Post("/logout", func(req *app.Request, res *app.Response) error {
		if err := s.Destroy(req.Context()); err != nil {
			return err
		}
		return res.SendStatus(204)
	})
}

type shownFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Text string `json:"text"`
}

func showFile(h *multipart.FileHeader) (shownFile, error) {
	f, err := h.Open()
	if err != nil {
		return shownFile{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 10))
	return shownFile{h.Filename, h.Size, string(b)}, err
}

func uploads(server *app.App, _ string) {
	server.Set("upload limits", app.UploadLimits{File: 1000, Files: 3})
	server.Post("/one", func(req *app.Request, res *app.Response) error {
		var form struct {
			Title string
			Photo *multipart.FileHeader
		}
		if err := req.Bind(&form); err != nil {
			return err
		}
		shown, err := showFile(form.Photo)
		if err != nil {
			return err
		}
		return res.JSON(struct {
			File  shownFile `json:"file"`
			Title string    `json:"title"`
		}{shown, form.Title})
	})
	server.Post("/many", func(req *app.Request, res *app.Response) error {
		photos, err := req.Files("photos")
		if err != nil {
			return err
		}
		var list []shownFile
		for _, p := range photos {
			shown, err := showFile(p)
			if err != nil {
				return err
			}
			list = append(list, shown)
		}
		return res.JSON(list)
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error { return res.Status(413).Send("too large") })
}

func cookies(server *app.App, _ string) {
	server.Set("cookie secret", "keyboard cat")
	server.Get("/set", func(req *app.Request, res *app.Response) error {
		return res.Cookie("plain", "ñ 1").
			Cookie("signed", "tobi", app.CookieOptions{Signed: true, HTTPOnly: true, SameSite: http.SameSiteLaxMode}).Send("set")
	})
	server.Get("/get", func(req *app.Request, res *app.Response) error {
		signed, _ := req.SignedCookie("signed")
		return res.JSON(struct {
			Plain  string `json:"plain"`
			Signed string `json:"signed"`
		}{req.CookieValue("plain"), signed})
	})
	server.Get("/clear", func(req *app.Request, res *app.Response) error {
		return res.ClearCookie("plain").ClearCookie("signed", app.CookieOptions{HTTPOnly: true}).Send("cleared")
	})
}

func negotiation(server *app.App, _ string) {
	b := book{Title: "Rayuela"}
	or := func(s string) string {
		if s == "" {
			return "none"
		}
		return s
	}
	server.Get("/book", func(req *app.Request, res *app.Response) error {
		return res.Format(
			app.Format{Type: "html", Answer: func() error { return res.Send("<h1>" + b.Title + "</h1>") }},
			app.Format{Type: "text", Answer: func() error { return res.Send(b.Title) }},
			app.Format{Type: "json", Answer: func() error { return res.JSON(b) }},
		)
	})
	server.Get("/language", func(req *app.Request, res *app.Response) error { return res.Send(or(req.AcceptsLanguages("es", "en"))) })
	server.Get("/encoding", func(req *app.Request, res *app.Response) error {
		return res.Send(or(req.AcceptsEncodings("br", "gzip")))
	})
	server.Post("/is", func(req *app.Request, res *app.Response) error {
		return res.Send(or(req.Is("json", "text/*", "urlencoded")))
	})
}

func site(server *app.App, dir string) {
	server.Use("/assets", app.Static(dir, app.FileOptions{MaxAge: 3600e9, NoIndex: true, Extensions: []string{"txt"}}))
	server.Use(app.Static(dir, app.FileOptions{Dotfiles: app.DotfilesDeny}))
	server.Use(func(req *app.Request, res *app.Response) error { return res.Status(404).Send("nothing here") })
}

func downloads(server *app.App, dir string) {
	server.Get("/download", func(req *app.Request, res *app.Response) error {
		return res.Download(filepath.Join(dir, "hello.txt"), app.FileOptions{Filename: "año nuevo.txt"})
	})
	server.Get("/file/:name", func(req *app.Request, res *app.Response) error {
		return res.SendFileFS(os.DirFS(dir), req.Param("name"))
	})
	server.Get("/attachment", func(req *app.Request, res *app.Response) error { return res.Attachment("a.csv").Send("a,b\n") })
	server.Get("/missing", func(req *app.Request, res *app.Response) error {
		if err := res.SendFile(filepath.Join(dir, "none.txt")); err != nil {
			return res.Status(app.StatusOf(err)).Send("no file")
		}
		return nil
	})
}

func search(server *app.App, _ string) {
	server.Set("query parser", "extended")
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.JSON(req.QueryObject()) })
	server.Get("/jsonp", func(req *app.Request, res *app.Response) error {
		return res.JSONP(app.Map{"q": req.QueryObject().Value("q")})
	})
}

func loader(server *app.App, _ string) {
	users := map[string]string{"1": "Ana", "2": "Eva"}
	server.Param("user", func(req *app.Request, res *app.Response, id string) error {
		if id == "me" {
			return app.NextRoute
		}
		if users[id] == "" {
			return app.Errorf(404, "no user %s", id)
		}
		res.Locals["user"] = users[id]
		return nil
	})
	server.Get("/users/:user", func(req *app.Request, res *app.Response) error { return res.Send(res.Locals["user"]) })
	server.Get("/users/:user/posts/:post", func(req *app.Request, res *app.Response) error {
		return res.Send(fmt.Sprint(res.Locals["user"], " ", req.Param("post")))
	})
	server.Get("/users/me", func(req *app.Request, res *app.Response) error { return res.Send("it is you") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(app.StatusOf(err)).Send(err.Error())
	})
}

func order(server *app.App, _ string) {
	mark := func(name string) app.Handler {
		return func(req *app.Request, res *app.Response) error {
			res.Append("X-Trace", name)
			return req.Next()
		}
	}
	trace := func(req *app.Request, res *app.Response) error {
		return res.Send(strings.Join(res.Header().Values("X-Trace"), " "))
	}
	server.Use(mark("first"))
	server.Use("/admin", mark("admin"))
	server.Get("/admin/stats", mark("handler"), trace)
	server.All("/*rest", mark("all"), func(req *app.Request, res *app.Response) error { return req.Next() })
	server.Use(mark("late"))
	server.Get("/late", trace)
}

// template is an engine of {name}.
type template struct{ name *regexp.Regexp }

func (e template) Render(w io.Writer, v app.View) error {
	b, err := fs.ReadFile(v.FS, v.Name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, e.name.ReplaceAllStringFunc(string(b), func(s string) string {
		if value := v.Data[s[1:len(s)-1]]; value != nil {
			return fmt.Sprint(value)
		}
		return ""
	}))
	return err
}

func views(server *app.App, dir string) {
	server.Engine("tpl", template{regexp.MustCompile(`\{(\w+)\}`)})
	server.Set("views", dir).Set("view engine", "tpl")
	server.Locals["site"] = "plaza"
	server.Use(func(req *app.Request, res *app.Response) error {
		res.Locals["user"] = "nobody"
		if user := req.Query("user"); user != "" {
			res.Locals["user"] = user
		}
		return req.Next()
	})
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Render("page", app.Map{"title": "Hello"}) })
	server.Get("/own", func(req *app.Request, res *app.Response) error {
		return res.Status(203).Type("text").Render("page.tpl", app.Map{"title": "Own", "site": "mine"})
	})
}

func conditional(server *app.App, _ string) {
	server.Get("/tagged", func(req *app.Request, res *app.Response) error { return res.Send("the same every time") })
	server.Get("/own", func(req *app.Request, res *app.Response) error { return res.Set("ETag", `"v1"`).Send("own") })
	server.Get("/dated", func(req *app.Request, res *app.Response) error {
		return res.Set("Last-Modified", "Tue, 02 Jan 2024 03:04:05 GMT").Set("Cache-Control", "no-cache").Send("dated")
	})
	server.Get("/fresh", func(req *app.Request, res *app.Response) error {
		res.Set("ETag", `"v1"`)
		res.Set("X-Fresh", fmt.Sprint(req.Fresh()))
		return nil
	})
}

func proxied(server *app.App, _ string) {
	server.Set("trust proxy", "loopback, 10.0.0.0/8")
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.JSON(struct {
			IP         string   `json:"ip"`
			IPs        []string `json:"ips"`
			Protocol   string   `json:"protocol"`
			Secure     bool     `json:"secure"`
			Hostname   string   `json:"hostname"`
			Subdomains []string `json:"subdomains"`
			XHR        bool     `json:"xhr"`
		}{req.IP(), req.IPs(), req.Protocol(), req.Secure(), req.Hostname(), append([]string{}, req.Subdomains()...), req.XHR()})
	})
}

func webhook(server *app.App, _ string) {
	verify := func(req *app.Request, _ *app.Response, body []byte, _ string) error {
		mac := hmac.New(sha256.New, []byte("hook"))
		mac.Write(body)
		if req.Get("X-Signature") != hex.EncodeToString(mac.Sum(nil)) {
			return errors.New("forged")
		}
		return nil
	}
	server.Post("/json", app.JSON(app.BodyOptions{Verify: verify}), func(req *app.Request, res *app.Response) error {
		var hook struct{ Event any }
		if err := req.Bind(&hook); err != nil {
			return err
		}
		return res.JSON(app.Map{"got": hook.Event})
	})
	server.Post("/text", app.Text(app.BodyOptions{Types: []string{"*/*"}, Limit: 20}), func(req *app.Request, res *app.Response) error {
		text, err := req.Text()
		if err != nil {
			return err
		}
		return res.Send(strings.ToUpper(text))
	})
	server.Post("/raw", app.Raw(app.BodyOptions{Types: []string{"application/*"}}), func(req *app.Request, res *app.Response) error {
		b, err := req.Bytes()
		if err != nil {
			return err
		}
		return res.Send(strconv.Itoa(len(b)))
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		var e *app.HTTPError
		errors.As(err, &e)
		return res.Status(app.StatusOf(err)).JSON(struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}{e.Type, e.Error()})
	})
}

func guarded(server *app.App, _ string) {
	server.Use("/admin", func(req *app.Request, res *app.Response) error {
		if user, password, _ := req.BasicAuth(); user == "ana" && password == "secret" {
			return req.Next()
		}
		return res.Set("WWW-Authenticate", `Basic realm="town"`).SendStatus(401)
	})
	admin := app.New()
	admin.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("welcome to " + admin.Path()) })
	server.Use("/admin", admin)
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("open") })
}

func shortener(server *app.App, _ string) {
	links := map[string]string{"town": "https://town.example/plaza?a=1&b=ñ"}
	server.Use(app.JSON())
	server.Get("/:key", func(req *app.Request, res *app.Response) error {
		url, ok := links[req.Param("key")]
		if !ok {
			return req.Next()
		}
		return res.Status(301).Redirect(url)
	})
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var link struct{ Key, URL string }
		if err := req.Bind(&link); err != nil {
			return err
		}
		links[link.Key] = link.URL
		res.Status(201).Links(app.Link{Rel: "self", URLs: []string{"/" + link.Key}}, app.Link{Rel: "target", URLs: []string{link.URL}}).Vary("Accept")
		res.WriteHeader(201)
		return nil
	})
	server.Get("/stream/out", func(req *app.Request, res *app.Response) error {
		res.Type("txt")
		io.WriteString(res, "one\n")
		res.Flush()
		_, err := io.WriteString(res, "two\n")
		return err
	})
}
