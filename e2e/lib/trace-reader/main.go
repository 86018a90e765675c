// Reads what proxies report, each report on a line of its own, by other people's implementations of Zipkin's second version
// and of OTLP, and prints what they make of it.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/openzipkin/zipkin-go/model"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

type span struct {
	Service  string            `json:"service"`
	TraceID  string            `json:"traceId"`
	ID       string            `json:"id"`
	Parent   string            `json:"parent"`
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Duration int64             `json:"microseconds"`
	Tags     map[string]string `json:"tags"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		format, text, _ := strings.Cut(lines.Text(), " ")
		body, err := base64.StdEncoding.DecodeString(text)
		var spans []span
		if err == nil && format == "zipkin" {
			spans, err = zipkin(body)
		} else if err == nil {
			spans, err = otlp(body)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out, _ := json.Marshal(spans)
		fmt.Println(string(out))
	}
}

func zipkin(body []byte) (spans []span, err error) {
	var list []model.SpanModel
	if err = json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	for _, each := range list {
		found := span{
			TraceID:  each.TraceID.String(),
			ID:       each.ID.String(),
			Name:     each.Name,
			Kind:     strings.ToLower(string(each.Kind)),
			Duration: each.Duration.Microseconds(),
			Tags:     each.Tags,
		}
		if each.ParentID != nil {
			found.Parent = each.ParentID.String()
		}
		if each.LocalEndpoint != nil {
			found.Service = each.LocalEndpoint.ServiceName
		}
		spans = append(spans, found)
	}
	return spans, nil
}

func otlp(body []byte) (spans []span, err error) {
	// An ExportTraceServiceRequest has the same bytes.
	var data trace.TracesData
	if err = (proto.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(body, &data); err != nil {
		return nil, err
	}
	if len(data.ProtoReflect().GetUnknown()) > 0 {
		return nil, fmt.Errorf("unknown fields")
	}
	for _, group := range data.ResourceSpans {
		service := ""
		for _, each := range group.GetResource().GetAttributes() {
			if each.Key == "service.name" {
				service = each.Value.GetStringValue()
			}
		}
		for _, scope := range group.ScopeSpans {
			for _, each := range scope.Spans {
				tags := map[string]string{}
				for _, tag := range each.Attributes {
					tags[tag.Key] = tag.Value.GetStringValue()
				}
				spans = append(spans, span{
					Service:  service,
					TraceID:  hex.EncodeToString(each.TraceId),
					ID:       hex.EncodeToString(each.SpanId),
					Parent:   hex.EncodeToString(each.ParentSpanId),
					Name:     each.Name,
					Kind:     strings.ToLower(strings.TrimPrefix(each.Kind.String(), "SPAN_KIND_")),
					Duration: int64(each.EndTimeUnixNano-each.StartTimeUnixNano) / 1000,
					Tags:     tags,
				})
			}
		}
	}
	return spans, nil
}
