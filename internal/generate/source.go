package generate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A source is the package that makes the app.
type source struct {
	files    *token.FileSet
	name     string
	texts    map[string][]byte   // by file name
	declared map[string][]string // names by file, tests included

	constructor *ast.FuncDecl // func newServer() *app.App
	variable    string        // in it, of app.New()
	engine      bool          // it has a view engine
	mount       string        // where the sockets are
	routes      *place        // of a new route
	connection  *place        // of a new handler of "connection", or nil
}

// A place is where a line goes: before the line that holds the byte.
type place struct {
	file   string
	offset int
	of     string // the variable that the line is about
}

func (p *place) variable(otherwise string) string {
	if p == nil {
		return otherwise
	}
	return p.of
}

// read parses the package in dir.
func read(dir string) (*source, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{files: token.NewFileSet(), texts: map[string][]byte{}, declared: map[string][]string{}, mount: "/socket.io"}
	var parsed []*ast.File
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(path)
		f, err := parser.ParseFile(s.files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("the app has to parse before anything is added to it: %w", err)
		}
		s.texts[name] = text
		if !strings.HasSuffix(f.Name.Name, "_test") {
			s.declared[name] = declarations(f)
		}
		if !strings.HasSuffix(name, "_test.go") {
			s.name = f.Name.Name
			parsed = append(parsed, f)
		}
	}
	if len(parsed) == 0 {
		return nil, errors.New("there are no Go files here: go to the directory of an app, or make one with:\n\tdevserver new hello")
	}
	for _, f := range parsed {
		if err := s.findConstructor(f); err != nil {
			return nil, err
		}
	}
	if s.constructor == nil {
		return nil, errors.New(`no function here makes the app and returns it, so a test could not either; put everything up to Listen into one:
	func newServer() *app.App {
		server := app.New()
		…
		return server
	}`)
	}
	s.findRoutes()
	for _, f := range parsed {
		s.findSockets(f)
	}
	return s, nil
}

// declarations are the names that a file declares in its package.
func declarations(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// imported is the name by which a file knows a package of the framework, or empty.
func imported(f *ast.File, pkg string) string {
	for _, spec := range f.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && path == framework+"/"+pkg {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return pkg
		}
	}
	return ""
}

// findConstructor looks for func() *app.App with a variable that is app.New().
func (s *source) findConstructor(f *ast.File) error {
	pkg := imported(f, "app")
	if pkg == "" {
		return nil
	}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil || fn.Recv != nil || fn.Type.TypeParams != nil || len(fn.Type.Params.List) > 0 ||
			fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
			continue
		}
		star, ok := fn.Type.Results.List[0].Type.(*ast.StarExpr)
		if !ok || !isSelector(star.X, pkg, "App") {
			continue
		}
		name, _ := assigned(fn.Body, pkg, "New")
		if name == "" {
			continue
		}
		if s.constructor != nil {
			return fmt.Errorf("both %s and %s make an app, so it is unclear which one to add to: leave only one of them in this package", s.constructor.Name.Name, fn.Name.Name)
		}
		s.constructor, s.variable = fn, name
	}
	return nil
}

// assigned finds the statement of a block that sets a variable to pkg.function(…).
func assigned(block *ast.BlockStmt, pkg, function string) (name string, at ast.Stmt) {
	for _, stmt := range block.List {
		a, ok := stmt.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			continue
		}
		call, ok := a.Rhs[0].(*ast.CallExpr)
		id, isName := a.Lhs[0].(*ast.Ident)
		if ok && isName && id.Name != "_" && isSelector(call.Fun, pkg, function) {
			return id.Name, stmt
		}
	}
	return "", nil
}

func isSelector(e ast.Expr, x, sel string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != sel {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == x
}

// method is the first method that a statement calls on a variable, as Get of
// server.Get("/", f), or empty.
func method(stmt ast.Stmt, variable string) (name string, call *ast.CallExpr) {
	e, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return "", nil
	}
	for x := e.X; ; {
		c, ok := x.(*ast.CallExpr)
		if !ok {
			return "", nil
		}
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return "", nil
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == variable {
			return sel.Sel.Name, c
		}
		x = sel.X
	}
}

// routeMethods are those of an app that register routes.
var routeMethods = []string{"Get", "Post", "Put", "Patch", "Delete", "Head", "Options", "All", "Handle", "Route", "Group"}

// findRoutes chooses the place of a new route: before the first one, so that no
// pattern of the others takes its requests, else before what answers errors,
// else at the end.
func (s *source) findRoutes() {
	var first, onError, end ast.Stmt
	for _, stmt := range s.constructor.Body.List {
		name, _ := method(stmt, s.variable)
		switch {
		case name == "Engine":
			s.engine = true
		case first == nil && slices.Contains(routeMethods, name):
			first = stmt
		case onError == nil && name == "OnError":
			onError = stmt
		}
		if _, ok := stmt.(*ast.ReturnStmt); ok {
			end = stmt
		}
	}
	at := cmp.Or(first, onError, end)
	if at != nil {
		s.routes = s.before(at, s.variable)
	}
}

// before is the place of the line before a statement.
func (s *source) before(stmt ast.Stmt, variable string) *place {
	pos := s.files.Position(stmt.Pos())
	return &place{pos.Filename, pos.Offset, variable}
}

// findSockets looks for a variable that is realtime.NewServer(…), for the last
// handler of "connection", and for where the server is mounted.
func (s *source) findSockets(f *ast.File) {
	pkg := imported(f, "realtime")
	if pkg == "" {
		return
	}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name, made := assigned(fn.Body, pkg, "NewServer")
		if name == "" {
			continue
		}
		after := made
		for _, stmt := range fn.Body.List {
			m, call := method(stmt, name)
			if m == "On" && len(call.Args) == 2 && (isText(call.Args[0], "connection") || isText(call.Args[0], "connect")) {
				after = stmt
			}
			s.findMount(stmt, name)
		}
		end := s.files.Position(after.End())
		text := s.texts[end.Filename]
		newline := bytes.IndexByte(text[end.Offset:], '\n')
		if newline < 0 {
			continue
		}
		// The line after the statement; insert takes the indentation of the one it stands before.
		s.connection = &place{end.Filename, end.Offset + newline + 1, name}
	}
}

// findMount reads X.Mount("/path", sockets).
func (s *source) findMount(stmt ast.Stmt, sockets string) {
	m, call := method(stmt, s.variable)
	if m != "Mount" || len(call.Args) != 2 {
		return
	}
	if id, ok := call.Args[1].(*ast.Ident); !ok || id.Name != sockets {
		return
	}
	if lit, ok := call.Args[0].(*ast.BasicLit); ok {
		if path, err := strconv.Unquote(lit.Value); err == nil {
			s.mount = strings.TrimRight(path, "/")
		}
	}
}

func isText(e ast.Expr, text string) bool {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false
	}
	value, err := strconv.Unquote(lit.Value)
	return err == nil && value == text
}

// insert puts a statement on a line of its own before the line of an offset. A
// file that was formatted stays formatted, every other keeps its form.
func insert(text []byte, offset int, statement string) ([]byte, error) {
	start := bytes.LastIndexByte(text[:offset], '\n') + 1
	eol := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		eol = "\r\n"
	}
	edited := slices.Concat(text[:start], []byte("\t"+statement+eol), text[start:])
	formatted, err := format.Source(text)
	wasFormatted := err == nil && bytes.Equal(formatted, text)
	if wasFormatted {
		return format.Source(edited)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", edited, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	return edited, nil
}
