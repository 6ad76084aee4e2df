package sealpost;

import java.util.Map;

/** A request that the edge refused as a whole, with its problem details (RFC 9457; docs/edge-api.md). */
final class EdgeException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int status;
    private final String code;

    EdgeException(int status, String code, String requestId) {
        super("HTTP " + status + " " + code + " (request " + requestId + ")");
        this.status = status;
        this.code = code;
    }

    /** From the answer's body. An intermediary may answer in another form: then there is the status alone. */
    static EdgeException of(int status, String contentType, String body) {
        if (contentType.startsWith("application/problem+json")) {
            Map<String, Object> problem = Json.readObject(body);
            return new EdgeException(
                    status,
                    String.valueOf(problem.get("code")),
                    String.valueOf(problem.get("requestId")));
        }
        return new EdgeException(status, "without problem details", "unknown");
    }

    /** Whether sending again, sealed and signed anew, can help. */
    boolean passing() {
        return status >= 500 || status == 429 || code.equals("unknown_key");
    }
}
