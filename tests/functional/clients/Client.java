// Java's HttpClient as it comes: over plain http it offers h2c on its first request.

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

public class Client {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        String operation = arguments[0];
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[1]));
        Path folder = Path.of(arguments[2]);
        switch (operation) {
            case "get", "download" -> call(request, folder);
            case "post" -> call(
                request.header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofFile(folder.resolve("content.json"))),
                folder);
            // A stream has no known length: this one goes out chunked.
            case "upload" -> call(
                request.header("Content-Type", "multipart/form-data; boundary=limit")
                    .POST(BodyPublishers.ofInputStream(() -> form(folder))),
                folder);
            case "keepalive" -> {
                for (int turn = 0; turn < 3; turn++) {
                    call(request, folder);
                }
            }
            default -> System.exit(2);
        }
    }

    private static void call(HttpRequest.Builder request, Path folder) throws Exception {
        var file = BodyHandlers.ofFile(
            folder.resolve("answer"), CREATE, WRITE, TRUNCATE_EXISTING);
        var answer = CLIENT.send(request.build(), file);
        System.out.println(answer.statusCode());
    }

    private static InputStream form(Path folder) {
        String head = "--limit\r\n"
            + "Content-Disposition: form-data; name=\"file\"; filename=\"upload.bin\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n";
        try {
            return new SequenceInputStream(Collections.enumeration(List.of(
                new ByteArrayInputStream(head.getBytes()),
                Files.newInputStream(folder.resolve("upload.bin")),
                new ByteArrayInputStream("\r\n--limit--\r\n".getBytes()))));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
