package syntax
import ("testing";"os";"encoding/json";"errors";"reflect";"strings")
func cut(s string) string { if strings.HasPrefix(s,"Parse error"){_,b,_:=strings.Cut(s,"\n");return b}; return s}
func TestZZ(t *testing.T){
	var cases []struct{Template string; AST any; Error string}
	b,_:=os.ReadFile("/tmp/hbnode/diff.json"); json.Unmarshal(b,&cases)
	bad,errs:=0,0
	u:=map[string]bool{}
	for _,c:=range cases{
		u[c.Template]=true
		p,err:=Parse(c.Template,false)
		var m *Error
		if errors.As(err,&m){errs++; if strings.HasPrefix(c.Error,"Lexical")&&m.Message=="Unrecognized text"{continue}; if got:=report(c.Template,m);cut(got)!=cut(c.Error){bad++; if bad<25{t.Errorf("%q\n got %s\nwant %s",c.Template,got,c.Error)}};continue}
		if err!=nil{t.Errorf("%q %v",c.Template,err);continue}
		data,_:=json.Marshal(tree(p)); var got any; json.Unmarshal(data,&got)
		if c.Error!=""||!reflect.DeepEqual(got,c.AST){bad++; if bad<25{w,_:=json.Marshal(c.AST);t.Errorf("%q\n got %s\nwant %s %s",c.Template,data,w,c.Error)}}
	}
	t.Logf("%d cases, %d unique, %d errors, %d bad",len(cases),len(u),errs,bad)
}
